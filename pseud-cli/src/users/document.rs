//! The text of the file: read as users, changed where it must be, kept as it was everywhere else.

use super::entry::{Entry, Users, check_login};
use super::password::PasswordHash;
use pseud::proto::zmtp::PublicKey;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value};

const USERS: &str = "users";
const PASSWORD: &str = "password";
const KEYS: &str = "keys";
const PERMISSIONS: &str = "permissions";

/// A file of users. Not shown by `Debug`: hashes are in it.
#[derive(Default)]
pub(crate) struct Document(DocumentMut);

/// The file's text.
impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Document {
    /// # Errors
    /// It is no TOML: by line, without what stands there, since that may be a hash.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|error: toml_edit::TomlError| {
            let start = error.span().map_or(0, |span| span.start);
            let line = 1 + text.bytes().take(start).filter(|&byte| byte == b'\n').count();
            format!("it is no TOML in line {line}")
        })
    }

    /// All users.
    ///
    /// # Errors
    /// An entry is not what it should be, or a key has two users: the error names it.
    pub(crate) fn users(&self) -> Result<Users, String> {
        let Some(users) = self.0.get(USERS) else { return Users::new(HashMap::new()) };
        let users = users.as_table_like().ok_or("`users` is no table")?;
        let entries = users.iter().map(|(login, item)| {
            check_login(login).map_err(|cause| format!("{USERS}.{login}: {cause}"))?;
            let named = |error| format!("{USERS}.{login}{error}");
            entry(item).map(|entry| (login.to_owned(), entry)).map_err(named)
        });
        Users::new(entries.collect::<Result<_, _>>()?)
    }

    /// Entries that mean nothing here, by their path: a slip of the pen, or for another program.
    pub(crate) fn unknown(&self) -> Vec<String> {
        let mut unknown: Vec<String> =
            self.0.iter().map(|(key, _)| key.to_owned()).filter(|key| key != USERS).collect();
        let users = self.0.get(USERS).and_then(Item::as_table_like);
        for (login, item) in users.iter().flat_map(|users| users.iter()) {
            let entries = item.as_table_like().into_iter().flat_map(|table| table.iter());
            let others = entries.map(|(key, _)| key).filter(|key| !is_known(key));
            unknown.extend(others.map(|key| format!("{USERS}.{login}.{key}")));
        }
        unknown
    }

    /// Gives a user what `more` holds: a password instead of the one it had, keys and permissions
    /// beside those it had. Says whether the user is new.
    ///
    /// # Errors
    /// The entry that is there is not what it should be.
    pub(crate) fn add(&mut self, login: &str, more: &Entry) -> Result<bool, String> {
        let users = self.0.entry(USERS).or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        // In a table that is written in one line there is no place for another.
        let inline = users.is_inline_table();
        let users = users.as_table_like_mut().ok_or("`users` is no table")?;
        let is_new = !users.contains_key(login);
        let user = users.entry(login).or_insert_with(|| match inline {
            true => Item::Value(InlineTable::new().into()),
            false => Item::Table(Table::new()),
        });
        let user = user.as_table_like_mut().ok_or("the user is no table")?;
        if let Some(hash) = &more.password {
            set(user, PASSWORD, hash);
        }
        extend(user, KEYS, more.keys.iter().map(ToString::to_string))?;
        extend(user, PERMISSIONS, more.permissions.iter().cloned())?;
        Ok(is_new)
    }

    /// Removes a user. `None` if there is none; else what of others' went with it: comments among its
    /// entries, and entries that mean nothing here. Comments above it stay.
    pub(crate) fn remove(&mut self, login: &str) -> Option<Vec<String>> {
        let users = self.0.get_mut(USERS)?.as_table_like_mut()?;
        let own = users.key(login).and_then(|key| key.leaf_decor().prefix()?.as_str());
        let mut lost = comments(own);
        let removed = users.remove(login)?;
        lost.extend(lost_with(&removed));
        if let Item::Table(table) = &removed {
            let above = table.decor().prefix().and_then(|prefix| prefix.as_str());
            let above = above.unwrap_or_default().to_owned();
            self.hand_down(table.position(), &above);
        }
        Some(lost)
    }

    /// Puts the comments that stood above a table that is gone above the next one.
    fn hand_down(&mut self, gone: Option<isize>, above: &str) {
        if !above.contains('#') {
            return;
        }
        let mut next = None;
        following(self.0.as_table_mut(), gone, &mut next);
        match next {
            Some(table) => {
                let old = table.decor().prefix().and_then(|prefix| prefix.as_str());
                let text = format!("{above}{}", old.unwrap_or_default());
                table.decor_mut().set_prefix(text);
            }
            None => {
                let text = format!("{above}{}", self.0.trailing().as_str().unwrap_or_default());
                self.0.set_trailing(text);
            }
        }
    }
}

/// Finds the table that is written next after that position.
fn following<'a>(table: &'a mut Table, gone: Option<isize>, next: &mut Option<&'a mut Table>) {
    for (_, item) in table.iter_mut() {
        let Item::Table(table) = item else { continue };
        let position = table.position().filter(|_| !table.is_implicit());
        let before = next.as_ref().and_then(|next| next.position());
        let is_next = position > gone && before.is_none_or(|before| position < Some(before));
        match is_next && !table.is_dotted() {
            true => *next = Some(table),
            false => following(table, gone, next),
        }
    }
}

fn is_known(key: &str) -> bool {
    [PASSWORD, KEYS, PERMISSIONS].contains(&key)
}

/// # Errors
/// What is wrong, beginning with the key's path below the user.
fn entry(item: &Item) -> Result<Entry, String> {
    let table = item.as_table_like().ok_or(": a user is a table")?;
    let password = table.get(PASSWORD).map(|item| {
        let text = item.as_str().ok_or("it is no string");
        text.and_then(PasswordHash::parse).map_err(|cause| format!(".{PASSWORD}: {cause}"))
    });
    let keys = strings(table, KEYS)?.into_iter().map(|text| {
        let key = text.parse::<PublicKey>().map_err(|error| format!(".{KEYS}: {error}"))?;
        match key.is_weak() {
            true => Err(format!(".{KEYS}: one is nobody's key")),
            false => Ok(key),
        }
    });
    Ok(Entry {
        password: password.transpose()?,
        keys: keys.collect::<Result<_, _>>()?,
        permissions: strings(table, PERMISSIONS)?.into_iter().map(str::to_owned).collect(),
    })
}

fn strings<'a>(table: &'a dyn TableLike, key: &str) -> Result<Vec<&'a str>, String> {
    let Some(item) = table.get(key) else { return Ok(Vec::new()) };
    let array = item.as_array().ok_or_else(|| format!(".{key}: it is no array"))?;
    let strings = array.iter().map(Value::as_str);
    strings.collect::<Option<_>>().ok_or_else(|| format!(".{key}: one of them is no string"))
}

/// Sets the password, and leaves what stands beside it.
fn set(user: &mut dyn TableLike, key: &str, hash: &PasswordHash) {
    let mut value = Value::from(hash.to_text());
    if let Some(old) = user.get(key).and_then(Item::as_value) {
        *value.decor_mut() = old.decor().clone();
    }
    match user.get_mut(key) {
        Some(item) => *item = Item::Value(value),
        None => drop(user.insert(key, Item::Value(value))),
    }
}

fn extend(
    user: &mut dyn TableLike,
    key: &str,
    more: impl Iterator<Item = String>,
) -> Result<(), String> {
    let known: BTreeSet<String> = strings(user, key)?.into_iter().map(str::to_owned).collect();
    let more: Vec<String> = more.filter(|text| !known.contains(text)).collect();
    if more.is_empty() {
        return Ok(());
    }
    let array = user.entry(key).or_insert_with(|| Item::Value(Array::new().into()));
    let array = array.as_array_mut().ok_or("it is no array")?;
    more.into_iter().for_each(|text| array.push(text));
    Ok(())
}

/// Comments below a user, and entries that mean nothing here.
fn lost_with(item: &Item) -> Vec<String> {
    let mut lost = Vec::new();
    let Some(table) = item.as_table_like() else { return lost };
    for (name, item) in table.iter() {
        let key = table.key(name);
        lost.extend(comments(key.and_then(|key| key.leaf_decor().prefix()?.as_str())));
        if !is_known(name) {
            lost.push(name.to_owned());
        }
        let Some(value) = item.as_value() else { continue };
        let elements = value.as_array().into_iter().flat_map(|array| {
            let inside = array.iter().flat_map(beside);
            inside.chain(comments(array.trailing().as_str()))
        });
        lost.extend(elements.chain(beside(value)));
    }
    lost
}

fn beside(value: &Value) -> impl Iterator<Item = String> + use<> {
    let decor = [value.decor().prefix(), value.decor().suffix()];
    let texts = decor.map(|raw| comments(raw.and_then(|raw| raw.as_str())));
    texts.into_iter().flatten()
}

fn comments(text: Option<&str>) -> Vec<String> {
    let lines = text.unwrap_or_default().lines();
    lines.filter_map(|line| Some(line[line.find('#')?..].to_owned())).collect()
}

#[cfg(test)]
mod tests;
