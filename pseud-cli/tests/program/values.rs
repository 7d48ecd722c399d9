//! Every kind of value there and back, over the wire.

use crate::run::Demo;

#[test]
fn every_kind_comes_back_as_it_was_sent() {
    let demo = Demo::start();
    let kinds = [
        "null",
        "true",
        "-3",
        "18446744073709551615",
        "-9223372036854775808",
        "1.0",
        "1e-7",
        r#""3""#,
        r#"[1,[null],{"b":1,"a":2}]"#,
        r#"{"$bin":"00ff"}"#,
        r#"{"$float":"nan"}"#,
        r#"{"$float":"-inf"}"#,
        r#"{"$map":[[1,"one"],[null,2]]}"#,
        r#"{"$map":[["$bin","not bytes"]]}"#,
        r#"{"$datetime":"2024-02-29T12:30:00"}"#,
        r#"{"$datetime":"2024-02-29T12:30:00.250000+02:00[CEST]"}"#,
        r#"{"$datetime_fold":"2024-10-27T02:30:00"}"#,
        r#"{"$date":"2024-02-29"}"#,
        r#"{"$timedelta":-1.500000}"#,
        r#"{"$timezone":"-03:30"}"#,
        r#"{"$ext":[5,"2a"]}"#,
    ];
    let answer = demo.answer(&[&["echo"][..], &kinds].concat());
    assert_eq!(answer, format!("[[{}],{{}}]", kinds.join(",")));
}

#[test]
fn what_is_not_json_is_a_string_and_keywords_keep_their_order() {
    let demo = Demo::start();
    let answer = demo.answer(&["echo", "Charly", "--kw", "z=1", "--kw", "a=x=y"]);
    assert_eq!(answer, r#"[["Charly"],{"z":1,"a":"x=y"}]"#);
    assert_eq!(demo.answer(&["--", "echo", "-x", "--kw"]), r#"[["-x","--kw"],{}]"#);
}

#[test]
fn what_types_answers_is_taken_as_an_argument() {
    let demo = Demo::start();
    let types = demo.answer(&["types"]);
    assert_eq!(demo.answer(&["echo", &types]), format!("[[{types}],{{}}]"));
}
