//! `pseud user`: who may come in to `pseud serve --users FILE`.

use crate::exit::{FAILED, USAGE, fail};
use crate::parse::public_key;
use crate::terminal;
use crate::users::{Document, Entry, Exclusive, PasswordHash, Users, bad, check_login, read};
use clap::{Args, Subcommand};
use pseud::proto::zmtp::PublicKey;
use pseud::tokio::files::load_password;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Change or list the users of `pseud serve --users FILE`.
///
/// The file is TOML, for its owner alone (mode 600), and may be edited by hand as well: comments
/// stay. Passwords are kept as argon2id hashes. Tell a server that runs to read it again by SIGHUP:
/// sessions of users that were removed, or whose password or key changed, then end; changed permissions count from
/// the next call.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  pseud user add users.toml charly --key 'PUBLIC-KEY-OF-CHARLY' --permission staff
  pseud serve --name service --bind tcp://*:5555 --demo \\
    --security trusted-curve --key server.key --users users.toml

Exit codes:
  0  done; the users of `list` are on stdout
  1  the file cannot be read or written, or is malformed; or there is no such user
  2  usage: an argument is missing or malformed, or a password file cannot be used")]
pub(crate) struct UserArguments {
    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Add a user, or give one that is there more keys and permissions, or another password.
    ///
    /// A file that is not there is made. A login alone is for --security trusted-peer, which believes names.
    Add(AddArguments),
    /// List users, one a line: LOGIN, then what it has. No password is shown, nor its hash.
    List(FileArguments),
    /// Remove a user. Comments above it stay; what else of others' goes with it is said on stderr.
    Remove(RemoveArguments),
}

#[derive(Debug, Args)]
struct AddArguments {
    /// The file of users.
    file: PathBuf,
    /// Who: 1 to 255 bytes.
    #[arg(value_parser = login)]
    login: String,
    /// A file with the user's password, which only its owner may read (mode 600). The end of its last
    /// line is no part of it.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// A public key of the user's, for --security trusted-curve; may be given more than once.
    #[arg(
        long,
        value_name = "Z85",
        value_parser = public_key,
        allow_hyphen_values = true
    )]
    key: Vec<PublicKey>,
    /// A word that predicates ask for, such as `restricted`; may be given more than once.
    #[arg(long, value_name = "P", value_parser = permission)]
    permission: Vec<String>,
}

#[derive(Debug, Args)]
struct FileArguments {
    /// The file of users.
    file: PathBuf,
}

#[derive(Debug, Args)]
struct RemoveArguments {
    /// The file of users.
    file: PathBuf,
    /// Who.
    login: String,
}

pub(crate) fn run(arguments: UserArguments) -> ExitCode {
    let done = match arguments.command {
        UserCommand::Add(arguments) => match more(&arguments) {
            Ok(more) => add(&arguments, &more),
            Err(error) => return fail(USAGE, &error.to_string()),
        },
        UserCommand::List(arguments) => list(&arguments.file),
        UserCommand::Remove(arguments) => remove(&arguments.file, &arguments.login),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == ErrorKind::InvalidInput => fail(USAGE, &error.to_string()),
        Err(error) => fail(FAILED, &error.to_string()),
    }
}

/// What is given to the user.
fn more(arguments: &AddArguments) -> io::Result<Entry> {
    let password = arguments.password_file.as_ref().map(|file| {
        let password = load_password(file)?;
        PasswordHash::of(password.expose())
    });
    Ok(Entry {
        password: password.transpose()?,
        keys: arguments.key.iter().copied().collect(),
        permissions: arguments.permission.iter().cloned().collect(),
    })
}

fn add(arguments: &AddArguments, more: &Entry) -> io::Result<()> {
    let file = Exclusive::take(&arguments.file)?;
    let mut document = file.read()?.unwrap_or_default();
    let login = &arguments.login;
    let is_new = document.add(login, more).map_err(|error| bad(&arguments.file, &error))?;
    let users = checked(&document, &arguments.file)?;
    let can_come_in = users
        .by_login(login.as_bytes())
        .is_some_and(|(_, entry)| entry.password.is_some() || !entry.keys.is_empty());
    file.replace(&document)?;
    if !can_come_in {
        let text = format!(
            "{login} has no password and no key: it comes in by --security trusted-peer alone, where names are \
             believed"
        );
        terminal::complain(&terminal::escape(&text));
    }
    report_unknown(&document);
    let done = if is_new { "added" } else { "changed" };
    terminal::say(&terminal::escape(&format!("{login}: {done}")))
}

fn remove(path: &Path, login: &str) -> io::Result<()> {
    let file = Exclusive::take(path)?;
    let document = file.read()?;
    let mut document = document.ok_or_else(|| not_found(path, "there is no such file"))?;
    let lost = document.remove(login);
    let lost = lost.ok_or_else(|| not_found(path, &format!("it has no user {login}")))?;
    // What else is wrong there is not made worse by one user less: it can be mended by removing.
    file.replace(&document)?;
    for line in lost {
        terminal::complain(&terminal::escape(&format!("gone with {login}: {line}")));
    }
    report_unknown(&document);
    terminal::say(&terminal::escape(&format!("{login}: removed")))
}

fn list(path: &Path) -> io::Result<()> {
    let document = read(path)?;
    let users = checked(&document, path)?;
    let mut entries: Vec<_> = users.entries().collect();
    entries.sort_unstable_by_key(|(login, _)| *login);
    for (login, entry) in entries {
        terminal::say(&terminal::escape(&line(login, entry)))?;
    }
    report_unknown(&document);
    Ok(())
}

fn line(login: &str, entry: &Entry) -> String {
    let mut line = login.to_owned();
    if entry.password.is_some() {
        line += " password";
    }
    entry.keys.iter().for_each(|key| line += &format!(" key={key}"));
    entry.permissions.iter().for_each(|permission| line += &format!(" permission={permission}"));
    line
}

fn checked(document: &Document, path: &Path) -> io::Result<Users> {
    document.users().map_err(|error| bad(path, &error))
}

fn report_unknown(document: &Document) {
    for path in document.unknown() {
        let text = format!("{path} means nothing here, and `pseud serve` refuses it");
        terminal::complain(&terminal::escape(&text));
    }
}

fn not_found(path: &Path, cause: &str) -> io::Error {
    io::Error::new(ErrorKind::NotFound, format!("cannot use {}: {cause}", path.display()))
}

fn login(text: &str) -> Result<String, &'static str> {
    check_login(text).map(|()| text.to_owned())
}

fn permission(text: &str) -> Result<String, &'static str> {
    match text {
        "" => Err("a permission is a word"),
        text => Ok(text.to_owned()),
    }
}
