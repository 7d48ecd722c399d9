//! Bodies that mean harm, by their number in the catalogue of hostile input (groups H and I).

use pseud_proto::Fault;
use pseud_proto::value::{
    BadExt, BadValue, Ext, ExtPayload, ExtTable, Packed, Unchecked, Value, ValueLimits,
};

fn check(bytes: impl Into<Vec<u8>>) -> Result<Packed, BadValue> {
    Unchecked::new(bytes.into().into()).check(&ValueLimits::default())
}

fn refused(bytes: impl Into<Vec<u8>>) -> BadValue {
    check(bytes).unwrap_err()
}

fn call(bytes: &[u8]) -> Result<(), BadValue> {
    Unchecked::new(bytes.to_vec().into()).check_call(&ValueLimits::default()).map(drop)
}

/// An ext of up to 255 bytes, whatever its length's shortest form.
fn ext(code: u8, payload: &[u8]) -> Vec<u8> {
    let len = u8::try_from(payload.len()).unwrap();
    [&[0xc7, len, code], payload].concat()
}

#[test]
fn h_01_nesting() {
    assert_eq!(refused(vec![0x91; 2_000_000]), BadValue::DepthLimit(64));
    let maps = b"\x81\xa1a".repeat(700_000);
    assert_eq!(refused(maps), BadValue::DepthLimit(3 * 64));
    let keys = vec![0x81; 2_000_000];
    assert_eq!(refused(keys), BadValue::Key(1));
    let mixed = [b"\x92".as_slice(), &ext(5, &[0x91; 200])].concat().repeat(9_000);
    assert!(matches!(refused(mixed), BadValue::DepthLimit(_)));
    let mut deepest = vec![0x91; 63];
    deepest.push(0x90);
    check(deepest.clone()).unwrap();
    deepest.insert(0, 0x91);
    assert_eq!(refused(deepest), BadValue::DepthLimit(64));
}

#[test]
fn h_02_counts_without_items() {
    for head in ["ddffffffff", "dfffffffff", "dcffff", "deffff", "dd00000001", "dd7fffffff"] {
        assert_eq!(refused(hex(head)), BadValue::Truncated(0), "{head}");
    }
}

#[test]
fn h_03_lengths_without_bytes() {
    for head in ["dbffffffff", "c6ffffffff", "d9ff", "c501", "bf", "c4", "db7fffffff00"] {
        assert_eq!(refused(hex(head)), BadValue::Truncated(0), "{head}");
    }
}

#[test]
fn h_04_bogus_sizes_inside_each_other() {
    assert!(check(hex("9ffd74f7dd74fffdbd")).is_err());
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    for _ in 0..100_000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let bytes = [state.to_be_bytes(), state.wrapping_mul(31).to_be_bytes()].concat();
        if let Ok(packed) = check(bytes) {
            drop(packed.value());
        }
    }
}

#[test]
fn h_05_colliding_keys() {
    // Nothing hashes: keys that collide under SipHash, FNV or CPython's str hash cost as others do.
    // The number of comparisons is bounded where the keys are merged.
    for key in [|_: u32| 0u32, |at: u32| at] {
        let mut body = hex("df0001869f");
        for at in 0..99_999 {
            body.push(0xce);
            body.extend(key(at).to_be_bytes());
            body.push(0xc0);
        }
        let value = check(body).unwrap().value();
        assert_eq!(value.as_map().unwrap().len(), if key(1) == 0 { 1 } else { 99_999 });
    }
}

#[test]
fn h_06_a_map_count_that_overflows_when_doubled() {
    for head in ["df80000000", "df80000001", "dfffffffff"] {
        assert_eq!(refused([hex(head), vec![0xc0; 64]].concat()), BadValue::Truncated(0));
    }
}

#[test]
fn h_07_keys() {
    let data = hex("86 c001 cb7ff800000000000002 92010203 a16104 a16105 c206");
    let value = check(data).unwrap().value();
    let keys: Vec<_> = value.as_map().unwrap().iter().map(|(key, _)| key.clone()).collect();
    assert_eq!(keys.len(), 5, "nil, NaN, an array, one of two equal strs, false");
    assert_eq!(value.get("a"), Some(&5.into()), "the last wins");
    for map_inside in ["818001", "81918001", "8191918001c0"] {
        assert!(matches!(refused(hex(map_inside)), BadValue::Key(_)), "{map_inside}");
    }
    for keyword in ["81c001", "810101", "819001", "81cb000000000000000001", "81d4050001"] {
        assert_eq!(call(&[hex("90"), hex(keyword)].concat()).unwrap_err(), BadValue::Key(2));
    }
    call(&hex("9081a16101")).unwrap();
    call(&hex("9081c4016101")).unwrap();
    assert_eq!(call(&hex("9081c401ff01")).unwrap_err(), BadValue::Utf8(2));
    assert_eq!(call(&hex("908181a1610101")).unwrap_err(), BadValue::Key(2));
}

#[test]
fn h_08_text_that_is_not_utf_8() {
    for text in ["a1ff", "a2c080", "a3eda080", "d901ff", "da0001ff", "db00000001ff", "81a1ffc0"] {
        assert!(matches!(refused(hex(text)), BadValue::Utf8(_)), "{text}");
    }
}

#[test]
fn h_09_a_body_of_nils() {
    let body = [hex("dd007ffffb"), vec![0xc0; 8 * 1024 * 1024 - 5]].concat();
    assert_eq!(refused(body), BadValue::NodeLimit(0));
    let most = [hex("dd000fffff"), vec![0xc0; 0xf_ffff]].concat();
    check(most).unwrap();
    let in_parts = [hex("dd00000010"), [hex("dc ffff"), vec![0xc0; 0xffff]].concat().repeat(16)];
    assert!(matches!(refused(in_parts.concat()), BadValue::NodeLimit(_)));
}

#[test]
fn h_10_the_reserved_marker() {
    for (body, at) in [("c1", 0), ("91c1", 1), ("81a161c1", 3)] {
        assert_eq!(refused(hex(body)), BadValue::Reserved(at));
    }
}

#[test]
fn h_11_trailing_bytes() {
    assert_eq!(refused(hex("c0c0")), BadValue::ExtraData(1));
    assert_eq!(refused(hex("92c0c0ff")), BadValue::ExtraData(3));
    assert_eq!(call(&hex("908000")).unwrap_err(), BadValue::ExtraData(2));
}

#[test]
fn h_12_integers() {
    let ones = [
        "01",
        "cc01",
        "cd0001",
        "ce00000001",
        "cf0000000000000001",
        "d001",
        "d10001",
        "d200000001",
        "d30000000000000001",
    ];
    for one in ones {
        let packed = check(hex(one)).unwrap();
        assert_eq!(packed.value(), Value::from(1), "{one}");
        assert_eq!(packed.decode::<u8>().unwrap(), 1);
        assert_eq!(packed.decode::<i128>().unwrap(), 1);
    }
    let most = check(hex("cfffffffffffffffff")).unwrap();
    assert_eq!(most.decode::<u64>().unwrap(), u64::MAX);
    let error = most.decode::<i64>().unwrap_err();
    assert_eq!(error.to_string(), "expected i64, found int that is out of range");
    let least = check(hex("d38000000000000000")).unwrap();
    assert_eq!(least.decode::<i64>().unwrap(), i64::MIN);
    assert!(least.decode::<u64>().is_err() && least.decode::<i32>().is_err());
}

#[test]
fn h_13_floats() {
    let floats = ["7ff8000000000001", "fff0000000000001", "8000000000000000", "7ff0000000000000"];
    for bits in floats {
        let bytes = hex(&format!("cb{bits}"));
        let packed = check(bytes.clone()).unwrap();
        let value = packed.value().as_f64().unwrap();
        assert_eq!(format!("{:016x}", value.to_bits()), bits);
        assert_eq!(Packed::result(&packed.value()).unwrap().as_bytes(), bytes);
    }
    for bits in ["7fc00001", "80000000", "7f800000", "ff800000"] {
        let single = f32::from_bits(u32::from_str_radix(bits, 16).unwrap());
        let value = check(hex(&format!("ca{bits}"))).unwrap().value().as_f64().unwrap();
        assert_eq!(value.to_bits(), f64::from(single).to_bits());
    }
}

#[test]
fn h_14_what_follows_a_name() {
    for (body, at) in [("", 0), ("80", 0), ("c0", 0), ("a161", 0), ("9090", 1), ("90c0", 1)] {
        let expected = match body {
            "" => BadValue::Truncated(at),
            _ => BadValue::Shape(at),
        };
        assert_eq!(call(&hex(body)).unwrap_err(), expected, "{body}");
    }
    assert_eq!(call(&hex("90")).unwrap_err(), BadValue::Truncated(1));
    assert_eq!(call(&hex("908090")).unwrap_err(), BadValue::ExtraData(2));
    assert_eq!(call(&hex("90818001")).unwrap_err(), BadValue::Key(2));
}

#[test]
fn h_15_a_name_is_text_of_any_kind() {
    // Names are looked up exactly, elsewhere; a keyword that is no name of Python's is data here
    // and shown escaped.
    for name in ["", "..", "a..b", "\0", "\u{202e}x", "__class__", &"x".repeat(1 << 20)] {
        let kwargs: Value = [(name, 1)].into_iter().collect();
        let packed = Packed::call(&(), &kwargs).unwrap();
        let arguments =
            Unchecked::new(packed.into_bytes()).check_call(&ValueLimits::default()).unwrap();
        assert_eq!(arguments.kwargs_values()[0].0, name);
        let fault = Fault::from(arguments.kwargs::<()>().unwrap_err());
        assert!(fault.message.len() < 1000 && !fault.message.contains(['\0', '\u{202e}']));
    }
}

#[test]
fn h_16_many_arguments() {
    let args = vec![0u8; 10_000];
    let kwargs: Value = (0..10_000).map(|at| (at.to_string(), at)).collect();
    let body = Packed::call(&args, &kwargs).unwrap().into_bytes();
    let mut limits = ValueLimits::default();
    let arguments = Unchecked::new(body.clone()).check_call(&limits).unwrap();
    assert_eq!(arguments.args_values().len(), 10_000);
    assert_eq!(arguments.kwargs_values().len(), 10_000);
    limits.nodes_max = 30_002;
    Unchecked::new(body.clone()).check_call(&limits).unwrap();
    limits.nodes_max = 30_001;
    let error = Unchecked::new(body).check_call(&limits).unwrap_err();
    assert!(matches!(error, BadValue::NodeLimit(_)), "they share one budget: {error}");
}

#[test]
fn h_17_the_same_everywhere() {
    // No step takes the machine's byte order or word length; this says what each has to find.
    let body = hex("93cd0102cb3ff8000000000000ce01020304");
    let value = check(body).unwrap().value();
    assert_eq!(value, Value::Array(vec![0x102.into(), 1.5.into(), 0x0102_0304.into()]));
    let date = check(ext(126, &pickled_date(&[0x07, 0xe2, 4, 17]))).unwrap();
    assert_eq!(date.decode::<pseud_proto::value::Date>().unwrap().year(), 2018);
}

#[test]
fn i_01_an_ext_of_4_gib() {
    for head in ["c9ffffffff05", "c97fffffff05", "c8ffff05", "c7ff05"] {
        assert_eq!(refused(hex(head)), BadValue::Truncated(0));
    }
    let large = [hex("c90001000105"), vec![0; 65_537]].concat();
    assert_eq!(refused(large), BadValue::ExtLimit(0));
    check([hex("c90001000005"), vec![0; 65_536]].concat()).unwrap();
}

#[test]
fn i_02_truncated_fixexts() {
    for (marker, len) in [(0xd4, 1), (0xd5, 2), (0xd6, 4), (0xd7, 8), (0xd8, 16)] {
        let whole = [vec![marker, 5], vec![0; len]].concat();
        for cut in 0..whole.len() {
            assert_eq!(refused(&whole[..cut]), BadValue::Truncated(0));
        }
        check(whole).unwrap();
    }
}

#[test]
fn i_03_timestamps() {
    // Code -1: Python's pseud refuses every one of them, whatever it holds.
    for len in [0, 3, 4, 5, 8, 11, 12, 13] {
        let body = [vec![0xc7, len, 0xff], vec![0xff; usize::from(len)]].concat();
        assert_eq!(refused(body), BadValue::Ext(0));
    }
    assert_eq!(refused(hex("d6ff5ad5a2c0")), BadValue::Ext(0));
    assert_eq!(refused(hex("91d480 00")), BadValue::Ext(1));
}

#[test]
fn i_04_exts_inside_exts() {
    fn deeper(payload: ExtPayload<'_>) -> Result<Value, BadExt> {
        payload.value()
    }
    let nest = |levels: usize| {
        (0..levels).fold(vec![0x01], |inner, _| {
            let len = u16::try_from(inner.len()).unwrap().to_be_bytes();
            [&[0xc8, len[0], len[1], 5], &inner[..]].concat()
        })
    };
    let mut table = ExtTable::new();
    table.register(5, deeper).unwrap();
    let decode = |body: Vec<u8>| check(body).unwrap().value_with(&table);
    assert_eq!(decode(nest(64)).unwrap(), Value::from(1));
    assert_eq!(decode(nest(65)).unwrap_err(), BadValue::Ext(0));
    assert_eq!(decode(nest(2_000)).unwrap_err(), BadValue::Ext(0));
    let in_arrays = |arrays: usize, exts: usize| [vec![0x91; arrays], nest(exts)].concat();
    assert!(decode(in_arrays(60, 4)).is_ok());
    assert_eq!(decode(in_arrays(60, 5)).unwrap_err(), BadValue::Ext(60));
    let arrays_in_ext = |arrays: usize| ext(5, &[vec![0x91; arrays], vec![0x01]].concat());
    assert!(decode(arrays_in_ext(63)).is_ok());
    assert_eq!(decode(arrays_in_ext(64)).unwrap_err(), BadValue::Ext(0));
    assert_eq!(decode(ext(5, &[])).unwrap_err(), BadValue::Ext(0));
    assert_eq!(decode(ext(5, &[1, 2])).unwrap_err(), BadValue::Ext(0));
}

#[test]
fn i_05_exts_of_users() {
    fn never(_: ExtPayload<'_>) -> Result<Value, BadExt> {
        Err(BadExt)
    }
    let mut table = ExtTable::new();
    assert!(table.register(-1, never).is_err());
    table.register(7, never).unwrap();
    for code in [0, 1, 42, 122, 127] {
        let packed = check(ext(code, b"abc")).unwrap();
        let opaque = Value::Ext(code as i8, b"abc".to_vec().into());
        assert!(packed.is_v1_safe());
        assert_eq!(packed.value(), opaque);
        assert_eq!(packed.value_with(&table).unwrap(), opaque);
    }
    let packed = check([vec![0x92, 0x01], ext(7, b"abc")].concat()).unwrap();
    assert_eq!(packed.value_with(&table).unwrap_err(), BadValue::Ext(2));
    assert!(packed.decode::<(u8, Ext<8>)>().is_err());
    assert_eq!(packed.decode::<(u8, Ext<7>)>().unwrap().1.0, b"abc");
}

/// What is no date stays bytes, whatever it would do elsewhere, and never leaves for a v1 peer.
fn opaque(pickle: &[u8]) {
    for code in 123..=126 {
        let packed = check(ext(code, pickle)).unwrap();
        assert_eq!(packed.value(), Value::Ext(code as i8, pickle.to_vec().into()));
        assert!(!packed.is_v1_safe());
        assert!(!Packed::result(&packed.value()).unwrap().is_v1_safe());
    }
}

#[test]
fn i_06_pickles_that_run_things() {
    for pickle in [
        &b"cposix\nsystem\n(S'id'\ntR."[..],
        b"\x80\x02cposix\nsystem\nq\x00X\x02\x00\x00\x00idq\x01\x85q\x02Rq\x03.",
        b"\x80\x02c__builtin__\neval\nq\x00X\x01\x00\x00\x001q\x01\x85q\x02Rq\x03.",
        b"(ios\nsystem\nS'id'\n.",
    ] {
        opaque(pickle);
    }
    for (module, name) in [("posix", "system"), ("builtins", "eval"), ("os", "popen")] {
        opaque(&stack_global(module, name));
    }
}

#[test]
fn i_07_gadgets() {
    for (module, name) in [
        ("builtins", "getattr"),
        ("zoneinfo", "ZoneInfo"),
        ("datetime", "tzinfo"),
        ("datetime", "time"),
        ("datetime", "datetime.fromisoformat"),
        ("_datetime", "date"),
        ("datetime", "date\n"),
    ] {
        opaque(&stack_global(module, name));
    }
}

#[test]
fn i_08_memo_places() {
    opaque(b"\x80\x02cdatetime\ndate\nr\xff\xff\xff\x7fU\x04\x07\xe2\x04\x11\x85R.");
    opaque(b"cdatetime\ndate\np1000000000000000000\n.");
    let mut binput = hex("8002636461746574696d650a74696d6564656c74610a7100");
    binput.extend(hex("4b014b024b03877102 5271022e"));
    opaque(&binput);
}

#[test]
fn i_09_frames_of_2_63() {
    for frame in [1u64 << 63, u64::MAX, 0x21, 0x1f, 0] {
        let mut pickle = pickled_date(&[0x07, 0xe2, 4, 17]);
        pickle[3..11].copy_from_slice(&frame.to_le_bytes());
        opaque(&pickle);
    }
    opaque(&hex("80049520000000000000008e0000000000000080"));
}

#[test]
fn i_10_frames_that_disagree() {
    let date = pickled_date(&[0x07, 0xe2, 4, 17]);
    opaque(&[&date[..], b"."].concat());
    opaque(&[&date[..], b"\x80\x04N."].concat());
    let (head, body) = date.split_at(11);
    let two =
        [&hex("80049510 00000000000000"), &body[..16], &hex("951000000000000000"), &body[16..]];
    opaque(&two.concat());
    opaque(&[&head[..2], body].concat());
    opaque(&date[..date.len() - 1]);
}

#[test]
fn i_11_cycles() {
    opaque(b"\x80\x02]q\x00h\x00a.");
    opaque(b"\x80\x04]\x94h\x00a.");
}

#[test]
fn i_12_growth() {
    opaque(&[&b"\x80\x02]"[..], &b"22".repeat(100), b"."].concat());
    opaque(&[&b"\x80\x04N"[..], &b"\x94h\x00".repeat(80), b"."].concat());
}

#[test]
fn i_13_dates_that_do_not_exist() {
    let bad_date =
        |bytes: [u8; 4]| assert_eq!(refused(ext(126, &pickled_date(&bytes))), BadValue::Ext(0));
    for bytes in [
        [0, 0, 1, 1],
        [0x27, 0x10, 1, 1],
        [0x07, 0xe2, 13, 1],
        [0x07, 0xe2, 0, 1],
        [0x07, 0xe2, 1, 32],
        [0x07, 0xe2, 2, 29],
        [0x07, 0xe2, 1, 0],
        [0x07, 0xe2, 0x84, 1],
    ] {
        bad_date(bytes);
    }
    let moment = |bytes: [u8; 10]| check(ext(125, &pickled("datetime", &bytes)));
    let good = [0x07, 0xe2, 4, 17, 23, 59, 59, 0x0f, 0x42, 0x3f];
    for (at, byte) in [(2, 13), (3, 31), (4, 24), (5, 60), (6, 60), (7, 0x10)] {
        let mut bytes = good;
        bytes[at] = byte;
        assert_eq!(moment(bytes).unwrap_err(), BadValue::Ext(0), "byte {at}");
    }
    let mut folded = good;
    folded[2] |= 0x80;
    for (bytes, fold) in [(good, false), (folded, true)] {
        let packed = moment(bytes).unwrap();
        let value = packed.value();
        assert_eq!(value.as_datetime().unwrap().fold(), fold);
        assert_eq!(Packed::result(&value).unwrap().as_bytes(), packed.as_bytes());
    }
    let zone = |days: i32, seconds: i32| check(ext(123, &timezone(days, seconds)));
    for (days, seconds) in [(1, 0), (-1, 0), (0, 86_400), (i32::MAX, 0), (i32::MIN, i32::MIN)] {
        assert_eq!(zone(days, seconds).unwrap_err(), BadValue::Ext(0), "{days} {seconds}");
    }
    assert!(zone(0, 86_399).is_ok() && zone(-1, 1).is_ok());
    let delta = |days: i32, seconds: i32| check(ext(124, &timedelta(days, seconds)));
    for (days, seconds) in [(1_000_000_000, 0), (999_999_999, 86_400), (-999_999_999, -1)] {
        assert_eq!(delta(days, seconds).unwrap_err(), BadValue::Ext(0), "{days} {seconds}");
    }
    assert!(delta(999_999_999, 86_399).is_ok());
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    assert_eq!(digits.len() % 2, 0);
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

/// Protocol 4's head, with a frame that fits.
fn framed(body: &[u8]) -> Vec<u8> {
    [&[0x80, 4, 0x95], &(body.len() as u64).to_le_bytes()[..], body].concat()
}

fn text(text: &str) -> Vec<u8> {
    [&[0x8c, u8::try_from(text.len()).unwrap()], text.as_bytes(), &[0x94]].concat()
}

/// `module.name('id')`.
fn stack_global(module: &str, name: &str) -> Vec<u8> {
    let body = [text(module), text(name), hex("9394"), text("id"), hex("859452942e")].concat();
    framed(&body)
}

/// `datetime.name(bytes)`.
fn pickled(name: &str, bytes: &[u8]) -> Vec<u8> {
    let raw = [&[0x43, u8::try_from(bytes.len()).unwrap()], bytes, &[0x94]].concat();
    framed(&[text("datetime"), text(name), hex("9394"), raw, hex("859452942e")].concat())
}

fn pickled_date(bytes: &[u8; 4]) -> Vec<u8> {
    pickled("date", bytes)
}

fn ints(days: i32, seconds: i32) -> Vec<u8> {
    let int = |value: i32| [&[0x4a], &value.to_le_bytes()[..]].concat();
    [int(days), int(seconds), hex("4b00"), hex("87945294")].concat()
}

fn timedelta(days: i32, seconds: i32) -> Vec<u8> {
    let global = [text("datetime"), text("timedelta"), hex("9394")].concat();
    framed(&[global, ints(days, seconds), hex("2e")].concat())
}

fn timezone(days: i32, seconds: i32) -> Vec<u8> {
    let global = [text("datetime"), text("timezone"), hex("93946800"), text("timedelta")].concat();
    framed(&[global, hex("9394"), ints(days, seconds), hex("859452942e")].concat())
}
