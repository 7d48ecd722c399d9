//! HOSTILE I and N-06 in kaa.rpc's bodies: pickles that would run something, or take much for little.

use super::talk::{Peer, SECRET, open_server, packet, packets, pair, result_of, settle};
use pseud_proto::kaa::{Config, PickledObject};
use pseud_proto::value::{Packed, Value, ValueLimits};
use pseud_proto::zmtp::Side;
use pseud_proto::{Outcome, Reason};

fn limits() -> ValueLimits {
    Config::default().limits.values
}

/// What a client makes of a result; `None` where it is none.
fn result(pickle: &[u8]) -> Option<Packed> {
    match result_of("RETN", pickle) {
        Outcome::Value(body) => Some(body.check(&limits()).unwrap()),
        Outcome::Executed(Reason::BadReply | Reason::TooLarge) => None,
        outcome => panic!("{}: {outcome:?}", pickle.escape_ascii()),
    }
}

fn value(pickle: &[u8]) -> Value {
    result(pickle).unwrap_or_else(|| panic!("{}", pickle.escape_ascii())).value()
}

#[test]
fn i_06_n_06_what_would_be_run_is_told_and_never_found() {
    for (pickle, class) in [
        (&b"cposix\nsystem\n(X\x02\0\0\0idtR."[..], "posix.system"),
        (b"\x80\x02c__builtin__\neval\nX\x01\0\0\x001\x85R.", "__builtin__.eval"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R.", "os.system"),
        (b"(S'id'\nios\nsystem\n.", "os.system"),
        (b"(cos\nsystem\nS'id'\no.", "os.system"),
        (b"\x80\x02cos\nsystem\nX\x02\0\0\0id\x85\x81.", "os.system"),
        (b"\x80\x04cos\nsystem\nX\x02\0\0\0id\x85}\x92.", "os.system"),
        (b"\x80\x02cos\nsystem\nX\x02\0\0\0id\x85Rq\0}b.", "os.system"),
    ] {
        let object: PickledObject = result(pickle).unwrap().decode().unwrap();
        assert_eq!(object.class, class);
        assert_eq!(object.args.as_array().map(<[_]>::len), Some(1));
    }
    let object: PickledObject = result(b"\x80\x02cos\nsystem\n.").unwrap().decode().unwrap();
    assert_eq!((object.class.as_str(), object.args), ("os.system", Value::Nil));
}

#[test]
fn n_06_in_a_call_they_are_arguments_like_others() {
    let mut server = open_server();
    server.read(&packet(
        1,
        b"CALL",
        b"\x80\x02X\x01\0\0\0xcos\nsystem\nX\x02\0\0\0id\x85R\x85}\x87.",
    ));
    let opened = server.request().open(&limits()).unwrap();
    let (object,): (PickledObject,) = opened.arguments.args().unwrap();
    assert_eq!(object.class, "os.system");
    // It does not go back either.
    server.reply(opened.ticket, Packed::result(&opened.arguments.args_values()[0]).unwrap());
    let answered = packets(&server.written());
    assert_eq!(answered[0].1, "EXCP");
    assert!(!answered[0].2.windows(6).any(|bytes| bytes == b"system"));
}

#[test]
fn n_06_an_exceptions_class_is_a_name() {
    let fault = |pickle: &[u8]| match result_of("EXCP", pickle) {
        Outcome::Fault(fault) => fault,
        outcome => panic!("{outcome:?}"),
    };
    let raised = fault(b"\x80\x02cos\nsystem\nX\x02\0\0\0id\x85R]\x86.");
    assert_eq!((raised.class.as_str(), raised.message.as_str()), ("system", "id"));
    let raised = fault(b"\x80\x02cexceptions\nIOError\nK\x02X\x02\0\0\0no\x86R]\x86.");
    assert_eq!(raised.message, "(2, \"no\")");
    let raised = fault(b"\x80\x02cexceptions\nKeyError\nK\x05\x85R]\x86.");
    assert_eq!(raised.message, "5");
    for odd in [
        &b"\x80\x02K\x01."[..],
        b"garbage",
        b"",
        b"\x80\x02K\x01]\x86.",
        b"\x80\x02cos\nsystem\n]\x86.",
    ] {
        assert!(matches!(result_of("EXCP", odd), Outcome::Unknown(Reason::BadReply)));
    }
}

#[test]
fn i_07_getattr_is_an_object_like_any_other() {
    let object: PickledObject =
        result(b"\x80\x02c__builtin__\ngetattr\ncos\nsystem\nX\x01\0\0\0x\x86R.")
            .unwrap()
            .decode()
            .unwrap();
    assert_eq!(object.class, "__builtin__.getattr");
    // What a call's result would be called with has no name.
    let pickle = b"\x80\x02c__builtin__\ngetattr\ncos\nsystem\nX\x01\0\0\0x\x86R)R.";
    let object: PickledObject = result(pickle).unwrap().decode().unwrap();
    assert_eq!(object.class, "");
}

#[test]
fn an_object_may_be_a_key_whatever_it_holds() {
    // `{Decimal('1.5'): 1}` and `{UUID(int=5): 1}` of protocol 2, as CPython writes them; a tuple that holds one.
    let decimal = &b"cdecimal\nDecimal\nq\x01X\x03\0\0\x001.5q\x02\x85q\x03Rq\x04"[..];
    let uuid = &b"cuuid\nUUID\nq\x01)\x81q\x02}q\x03X\x03\0\0\0intq\x04K\x05sb"[..];
    let tuple = &[uuid, b"\x85"].concat();
    for (key, class) in [(decimal, "decimal.Decimal"), (uuid, "uuid.UUID"), (tuple, "uuid.UUID")] {
        let map = result(&[b"\x80\x02}q\0", key, b"K\x01s."].concat()).unwrap();
        let Value::Map(pairs) = map.value() else { panic!("{class}: {map:?}") };
        let key = match &pairs[0].0 {
            Value::Array(items) => &items[0],
            key => key,
        };
        let object: PickledObject = Packed::result(key).unwrap().decode().unwrap();
        assert_eq!((object.class.as_str(), &pairs[0].1), (class, &Value::from(1)));
    }
    // Beside it a dict is no key as before.
    for key in [&b"}"[..], &[uuid, b"}\x86"].concat()] {
        assert!(result(&[b"\x80\x02}", key, b"K\x01s."].concat()).is_none());
    }
}

#[test]
fn i_08_no_index_and_no_length_reserves_anything() {
    for pickle in [
        &b"\x80\x02Nr\xff\xff\xff\x7f."[..],
        b"Np1000000000000000000\n.",
        b"Np-1\n.",
        b"Np\n.",
        b"\x80\x02h\0.",
        b"\x80\x02j\xff\xff\xff\xff.",
        b"g5\n.",
        b"\x80\x02T\xff\xff\xff\x7f.",
        b"\x80\x02X\xff\xff\xff\xff.",
        b"\x80\x02\x8b\xff\xff\xff\xff.",
        b"\x80\x02\x8a\x05\x01.",
        b"\x80\x02U\x05a.",
    ] {
        assert!(result(pickle).is_none(), "{}", pickle.escape_ascii());
    }
}

#[test]
fn i_09_lengths_of_64_bits() {
    for opcode in [0x8d, 0x8e, 0x95, 0x96] {
        for len in [1u64 << 63, u64::MAX, 100] {
            let pickle = [&[0x80, 4, opcode][..], &len.to_le_bytes(), b"."].concat();
            assert!(result(&pickle).is_none(), "{opcode:x} {len}");
        }
    }
}

#[test]
fn i_10_frames_are_whole_and_nothing_follows_stop() {
    let framed = |len: u64, rest: &[u8]| [&[0x80, 4, 0x95][..], &len.to_le_bytes(), rest].concat();
    assert_eq!(value(&framed(3, b"K\x01.")), 1.into());
    // CPython begins another frame behind one that is full.
    let second = [&b"]"[..], &framed(4, b"K\x01a.")[2..]].concat();
    assert_eq!(value(&framed(1, &second)), Value::Array(vec![1.into()]));
    let inside = [&b"]"[..], &framed(4, b"K\x01a.")[2..]].concat();
    for bad in [
        framed(1, b"K\x01."),
        framed(4, b"K\x01."),
        framed(14, &inside),
        framed(0, b""),
        b"\x80\x02K\x01.K".to_vec(),
        b"\x80\x02K\x01..".to_vec(),
        b"\x80\x02K\x01".to_vec(),
        b"\x80\x06N.".to_vec(),
        b"\x80".to_vec(),
        Vec::new(),
    ] {
        assert!(result(&bad).is_none(), "{}", bad.escape_ascii());
    }
}

#[test]
fn i_11_what_is_inside_itself_ends() {
    for pickle in [
        &b"\x80\x02]q\0h\0a."[..],
        b"\x80\x02}q\0K\x01h\0s.",
        b"\x80\x02]q\0}q\x01K\x01h\0sa.",
        b"\x80\x02c__builtin__\nset\n]q\0\x85Rq\x010h\0h\x01a.",
        b"\x80\x02cos\nx\n)Rq\0h\0b.",
        b"\x80\x02cos\nx\n)Rq\0h\0a.",
    ] {
        assert!(result(pickle).is_none(), "{}", pickle.escape_ascii());
    }
    assert_eq!(value(b"\x80\x02(]q\0h\0h\0t."), Value::Array(vec![Value::Array(vec![]); 3]));
}

#[test]
fn a_dict_is_no_key() {
    for pickle in [
        &b"\x80\x02}}Ns."[..],
        b"\x80\x02}}\x85Ns.",
        b"\x80\x02}c__builtin__\nfrozenset\n]}a\x85RNs.",
    ] {
        assert!(result(pickle).is_none(), "{}", pickle.escape_ascii());
    }
    let nested = Value::Map(vec![(1.into(), Value::Map(vec![])), (2.into(), Value::Map(vec![]))]);
    assert_eq!(value(b"\x80\x02}K\x01}sK\x02}s."), nested);
}

#[test]
fn i_12_what_is_shared_is_counted_as_often_as_it_is_met() {
    // A list of ten of the list before, twenty times: 10^20 values in 1 000 bytes.
    let mut bomb = b"\x80\x02]K\x01a".to_vec();
    for level in 0..20 {
        bomb.extend([b'q', level, b'0', b']', b'(']);
        bomb.extend([b'h', level].repeat(10));
        bomb.push(b'e');
    }
    bomb.push(b'.');
    assert!(result(&bomb).is_none());
    // A text of 1 MiB a thousand times.
    let text = "x".repeat(1 << 20);
    let mut bomb = [b"\x80\x02X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
    bomb.extend(b"q\0](");
    bomb.extend(b"h\0".repeat(1_000));
    bomb.extend(b"e.");
    // Under what is wanted of a pickle the list is not the root.
    bomb.splice(2..2, *b"(");
    bomb.truncate(bomb.len() - 1);
    bomb.extend(b"t.");
    assert!(result(&bomb).is_none());
    // Bytes of it, a set of it: nothing is copied before it is written.
    for class in [&b"c_codecs\nencode\n"[..], b"c__builtin__\nbytearray\n"] {
        let mut bomb =
            [b"\x80\x02(X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
        bomb.extend(b"q\0");
        for _ in 0..100_000 {
            bomb.extend(class);
            bomb.extend(b"h\0X\x06\0\0\0latin1\x86R");
        }
        bomb.extend(b"t.");
        assert!(result(&bomb).is_none());
    }
}

#[test]
fn i_12_dup_and_marks_take_what_they_say() {
    assert_eq!(value(b"\x80\x02(K\x012t."), Value::Array(vec![1.into(); 2]));
    assert_eq!(value(b"\x80\x02K\x01K\x020."), 1.into());
    assert_eq!(value(b"\x80\x02K\x01(K\x021."), 1.into());
    assert_eq!(value(b"\x80\x02K\x01(0."), 1.into());
    for pickle in [
        &b"0."[..],
        b"1.",
        b"2.",
        b"t.",
        b"e.",
        b"K\x01.K\x01.",
        b"K\x01K\x02.",
        b"(K\x01.",
        b"K\x01(\x85.",
        b"(K\x01(a.",
    ] {
        assert!(result(pickle).is_none(), "{}", pickle.escape_ascii());
    }
}

#[test]
fn i_13_dates_that_do_not_exist_are_objects() {
    let date = |state: &[u8]| {
        [b"\x80\x03cdatetime\ndate\nC", &[state.len() as u8][..], state, b"\x85R."].concat()
    };
    assert!(matches!(value(&date(&[0x07, 0xd3, 9, 27])), Value::Date(_)));
    for state in [
        &[0x07, 0xd3, 13, 1][..],
        &[0x07, 0xd3, 2, 30],
        &[0, 0, 1, 1],
        &[1, 2, 3],
        &[0x27, 0x10, 1, 1],
    ] {
        let object: PickledObject = result(&date(state)).unwrap().decode().unwrap();
        assert_eq!(object.class, "datetime.date");
    }
    let zone = b"\x80\x02cdatetime\ntimezone\ncdatetime\ntimedelta\nK\x01K\0K\0\x87R\x85R.";
    let object: PickledObject = result(zone).unwrap().decode().unwrap();
    assert_eq!(object.class, "datetime.timezone", "a day is no offset");
}

#[test]
fn i_11_a_zone_that_is_its_own_offset_ends() {
    for class in ["timezone", "datetime", "timedelta", "date"] {
        let make = [b"cdatetime\n", class.as_bytes(), b"\n"].concat();
        for args in [&b"]q\0Rq\x01h\0h\x01a0"[..], b"]q\0Rq\x01h\0h\x01ah\0h\x01a00"] {
            let cyclic = [b"\x80\x02(", &make[..], args, b"h\x01t."].concat();
            assert!(result(&cyclic).is_none(), "{}", cyclic.escape_ascii());
        }
        // A moment whose zone is that, and a moment that is its own zone.
        let zoned = b"cdatetime\ndatetime\nU\x0a\x07\xd3\x09\x1b\0\0\0\0\0\0h\x01\x86R";
        let cyclic = [b"\x80\x02", &make[..], b"]q\0Rq\x01h\0h\x01a00", zoned, b"."].concat();
        assert!(result(&cyclic).is_none(), "{}", cyclic.escape_ascii());
    }
    let state = b"U\x0a\x07\xd3\x09\x1b\0\0\0\0\0\0";
    let own =
        [b"\x80\x02cdatetime\ndatetime\n]q\0Rq\x01h\0", &state[..], b"ah\0h\x01a00h\x01."].concat();
    assert!(result(&own).is_none());
    // In a call and in an exception's arguments no less.
    let mut server = open_server();
    server.read(&packet(
        1,
        b"CALL",
        b"\x80\x02X\x01\0\0\0xcdatetime\ntimezone\n]q\0Rq\x01h\0h\x01a0\x85}\x87.",
    ));
    assert_eq!(packets(&server.written())[0].1, "EXCP");
}

#[test]
fn i_11_zones_of_zones_are_no_deeper_than_others() {
    for class in ["timezone", "datetime", "timedelta"] {
        let make = [b"cdatetime\n", class.as_bytes(), b"\n"].concat();
        let state: &[u8] = if class == "datetime" { b"U\x01x" } else { b"" };
        let begun = [&make[..], b"(", state].concat().repeat(100_000);
        let chain = [b"\x80\x02", &begun[..], b"N", &b"tR".repeat(100_000), b"."].concat();
        assert!(result(&chain).is_none(), "{class}");
    }
}

#[test]
fn opcodes_that_ask_for_more_than_these_bytes_are_refused() {
    for opcode in [b'P', b'Q', 0x82, 0x83, 0x84, 0x97, 0x98, 0xff, 0] {
        assert!(result(&[0x80, 2, b'K', 1, opcode, b'.']).is_none(), "{opcode:x}");
    }
}

#[test]
fn depth_is_bounded_alike_everywhere() {
    let nested = |depth: usize| {
        [b"\x80\x02".to_vec(), b"]".repeat(depth), b"a".repeat(depth - 1), b".".to_vec()].concat()
    };
    assert!(result(&nested(64)).is_some());
    assert!(result(&nested(65)).is_none());
    assert!(result(&nested(1_000_000)).is_none());
    let sets = |depth: usize| {
        let open = b"c__builtin__\nfrozenset\n](".repeat(depth);
        [b"\x80\x02".to_vec(), open, b"e\x85R".repeat(depth), b".".to_vec()].concat()
    };
    assert!(result(&sets(20)).is_some());
    assert!(result(&sets(65)).is_none());
}

#[test]
fn values_are_counted() {
    let mut config = Config::new(SECRET);
    config.limits.values.nodes_max = 10;
    let (mut server, mut client) = (Peer::new(Side::Accepting, config, 1), Peer::client());
    settle(&mut server, &mut client);
    for (count, passes) in [(5, true), (20, false)] {
        let call = client.call("x", Packed::call(&(vec![1; count],), &()).unwrap());
        settle(&mut server, &mut client);
        assert_eq!(server.requests().len(), usize::from(passes));
        match client.outcome(call) {
            None => assert!(passes),
            Some(Outcome::Fault(fault)) => assert!(!passes && fault.message.contains("TooLarge")),
            outcome => panic!("{outcome:?}"),
        }
    }
}

#[test]
fn marks_are_no_more_than_values() {
    let marks = |count: usize| {
        [&b"("[..], &b"(".repeat(count), b"K\x01", &b"t".repeat(count + 1), b"."].concat()
    };
    assert!(result(&marks(60)).is_some());
    let max = limits().nodes_max as usize;
    for count in [max, 2 * max] {
        let outcome = result_of("RETN", &b"(".repeat(count + 1));
        assert!(matches!(outcome, Outcome::Executed(Reason::TooLarge)), "{outcome:?}");
    }
}

/// MEMOIZE is a byte, and what it adds to the memo many.
#[test]
fn what_is_memorized_is_no_more_than_values() {
    let memo = |count: usize| [&b"N"[..], &b"\x94".repeat(count), b"."].concat();
    assert!(result(&memo(60)).is_some());
    let max = limits().nodes_max as usize;
    let outcome = result_of("RETN", &memo(max + 1));
    assert!(matches!(outcome, Outcome::Executed(Reason::TooLarge)), "{outcome:?}");
}

#[test]
fn protocol_0_and_1_are_read_as_well() {
    assert_eq!(
        value(
            b"(lp0\nI1\naL2L\naF1.5\naS'a'\np1\naV\xe9\\u20ac\np2\naI01\na(dp3\nS'k'\nNsa(tp4\na."
        ),
        Value::Array(vec![
            1.into(),
            2.into(),
            1.5.into(),
            "a".into(),
            "é€".into(),
            true.into(),
            Value::Map(vec![("k".into(), Value::Nil)]),
            Value::Array(vec![]),
        ])
    );
    assert_eq!(
        value(b"](K\x01U\x02\xff\xfee."),
        Value::Array(vec![1.into(), Value::Bin(vec![0xff, 0xfe].into())])
    );
}

#[test]
fn protocols_4_and_5_are_read_as_well() {
    assert_eq!(value(b"\x80\x05\x8f(K\x01K\x01\x90.").as_array(), None);
    let bytes = [&b"\x80\x05\x96"[..], &2u64.to_le_bytes(), b"ab."].concat();
    assert_eq!(value(&bytes), Value::Bin("ab".into()));
    let text = [&b"\x80\x04\x8d"[..], &2u64.to_le_bytes(), b"ab\x94h\0\x86."].concat();
    assert_eq!(value(&text), Value::Array(vec!["ab".into(); 2]));
    let items = result(b"\x80\x04(K\x01K\x02\x91.").unwrap();
    assert_eq!(items.decode::<pseud_proto::kaa::FrozenSet<i64>>().unwrap().0, [1, 2]);
}

#[test]
fn a_python_2_is_sent_no_time_zone() {
    let (mut server, _) = pair();
    server.read(&packet(1, b"CALL", b"\x80\x02U\x03now)}\x87."));
    let ticket = server.request().into_ticket();
    let offset = pseud_proto::value::TimeDelta::new(0, 3_600, 0).unwrap();
    let zone = pseud_proto::value::TimeZone::new(offset).unwrap();
    server.reply(ticket, Packed::result(&Value::TimeZone(zone)).unwrap());
    let answered = packets(&server.written());
    assert_eq!(answered[0].1, "EXCP", "it would never see the answer");
}
