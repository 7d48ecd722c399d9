//! What a change leaves as it was, and what is read.

use super::*;

const KEY: &str = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
const OTHER: &str = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
const HASH: &str = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ\
                    $CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

fn with_keys(keys: &[&str]) -> Entry {
    let keys = keys.iter().map(|key| key.parse().unwrap()).collect();
    Entry { keys, ..Entry::default() }
}

#[test]
fn what_is_added_is_read_again() {
    let mut document = Document::default();
    let more = Entry {
        password: Some(PasswordHash::parse(HASH).unwrap()),
        permissions: ["staff".to_owned()].into(),
        ..with_keys(&[KEY])
    };
    for login in ["charly", "ä.b c", "x\"y\n"] {
        assert_eq!(document.add(login, &more), Ok(true));
        assert_eq!(document.add(login, &more), Ok(false));
        let text = document.to_string();
        let users = Document::parse(&text).unwrap();
        let item = users.0[USERS].as_table_like().unwrap().get(login).unwrap();
        assert_eq!(entry(item).as_ref(), Ok(&more), "{text}");
        assert_eq!(text.matches(HASH).count(), 1, "{text}");
        document = Document::default();
    }
}

#[test]
fn the_rest_of_the_file_stays_as_it_was() {
    let before = format!(
        "# Who may come in.\nnote = 1 # not ours\n\n[users.alice] # since May\npassword = \"{HASH}\" # \
         changed\nkeys = [\n  \"{KEY}\", # laptop\n]\nmail = \"a@b\"\n\n# The cook.\n[users.charly]\nkeys \
         = [\"{OTHER}\"]\n"
    );
    let mut document = Document::parse(&before).unwrap();
    assert_eq!(document.unknown(), ["note", "users.alice.mail"]);
    let more = Entry { permissions: ["staff".to_owned()].into(), ..Entry::default() };
    document.add("charly", &more).unwrap();
    assert_eq!(document.to_string(), format!("{before}permissions = [\"staff\"]\n"));
    let password = PasswordHash::of(b"x").unwrap();
    let more = Entry { password: Some(password.clone()), ..Entry::default() };
    let mut document = Document::parse(&before).unwrap();
    document.add("alice", &more).unwrap();
    assert_eq!(document.to_string(), before.replace(HASH, &password.to_text()));
}

#[test]
fn comments_above_who_is_removed_stay_and_others_are_told() {
    let text = format!(
        "# Who may come in.\n\n[users.alice]\nkeys = [\n  \"{KEY}\", # laptop\n]\n# at home\nmail = \"a\"\n\n# \
         The cook.\n[users.charly]\nkeys = [\"{OTHER}\"]\n"
    );
    let mut document = Document::parse(&text).unwrap();
    let lost = document.remove("alice").unwrap();
    let rest =
        format!("# Who may come in.\n\n\n# The cook.\n[users.charly]\nkeys = [\"{OTHER}\"]\n");
    assert_eq!(document.to_string(), rest);
    assert_eq!(lost, ["# laptop", "# at home", "mail"]);
    assert_eq!(document.remove("charly").unwrap(), Vec::<String>::new());
    let rest = document.to_string();
    assert!(rest.contains("# Who may come in.") && rest.contains("# The cook."), "{rest}");
    assert!(Document::parse(&rest).unwrap().users().unwrap().entries().next().is_none());
    assert_eq!(document.remove("charly"), None);
}

#[test]
fn users_in_one_line_are_users() {
    let text =
        format!("users.alice.keys = [\"{KEY}\"]\nusers.bob = {{ keys = [\"{OTHER}\"] }} # b\n");
    let mut document = Document::parse(&text).unwrap();
    assert_eq!(document.users().unwrap().len(), 2);
    let third = PublicKey::from_bytes([7; 32]).to_string();
    document.add("charly", &with_keys(&[&third])).unwrap();
    let read = Document::parse(&document.to_string()).unwrap();
    assert_eq!(read.users().unwrap().len(), 3, "{document}");
    document.remove("bob").unwrap();
    document.remove("alice").unwrap();
    let read = Document::parse(&document.to_string()).unwrap();
    assert_eq!(read.users().unwrap().len(), 1, "{document}");
    let mut inline = Document::parse("users = { }\n").unwrap();
    inline.add("charly", &with_keys(&[KEY])).unwrap();
    assert_eq!(Document::parse(&inline.to_string()).unwrap().users().unwrap().len(), 1);
}

#[test]
fn what_is_wrong_is_named_without_what_stands_there() {
    for (text, named) in [
        ("users = 3", "`users`"),
        ("users.charly = 3", "users.charly"),
        ("users.charly.password = 3", "users.charly.password"),
        ("users.charly.password = \"marker\"", "users.charly.password"),
        ("users.charly.keys = \"marker\"", "users.charly.keys"),
        ("users.charly.keys = [\"marker\"]", "users.charly.keys"),
        ("users.charly.permissions = [3]", "users.charly.permissions"),
        ("\n\nusers.charly.password = marker", "line 3"),
        ("users.charly.password = \"\"\"marker", "TOML"),
    ] {
        let error = Document::parse(text).and_then(|document| document.users()).unwrap_err();
        assert!(error.contains(named) && !error.contains("marker"), "{error}");
    }
}
