//! A value for people: about what Python's `repr` says, cut where it grows long.

use super::node::{Graph, NodeId, PickleNode};
use std::fmt::Write;

/// Bytes of all of it, about: what is over is `...`.
const SHOWN_MAX: usize = 4 * 1024;
/// Bytes of an integer.
const BIG_MAX: usize = 64;
/// Containers inside each other.
const DEPTH_MAX: usize = 8;

pub(crate) fn shown(graph: &Graph<'_>, id: NodeId) -> String {
    let mut shown = PickleText { graph, out: String::new() };
    shown.value(id, 0);
    shown.out
}

/// The same, of a tuple's items.
pub(crate) fn shown_tuple(graph: &Graph<'_>, items: &[NodeId]) -> String {
    let mut shown = PickleText { graph, out: String::new() };
    shown.tuple(items, 0);
    shown.out
}

struct PickleText<'g, 'a> {
    graph: &'g Graph<'a>,
    out: String,
}

impl PickleText<'_, '_> {
    fn value(&mut self, id: NodeId, depth: usize) {
        if depth > DEPTH_MAX || self.is_full() {
            return self.put("...");
        }
        let graph = self.graph;
        match graph.get(id) {
            PickleNode::None => self.put("None"),
            PickleNode::Bool(true) => self.put("True"),
            PickleNode::Bool(false) => self.put("False"),
            PickleNode::Int(value) => self.put(&value.to_string()),
            PickleNode::BigInt(bytes) if bytes.len() <= BIG_MAX => self.big(bytes),
            PickleNode::BigInt(_) => self.put("..."),
            PickleNode::Float(value) => self.put(&format!("{value:?}")),
            PickleNode::Complex(real, imaginary) => self.put(&format!("({real}{imaginary:+}j)")),
            PickleNode::Text(text) => self.text(text),
            PickleNode::Latin1(text) => self.latin1(*text),
            PickleNode::Bytes(bytes) => self.bytes(bytes),
            PickleNode::Tuple(items) => self.tuple(items, depth),
            PickleNode::List(items) => self.between("[", items, "]", depth),
            PickleNode::Set(items) => match graph.items(*items) {
                None | Some([]) => self.put("set()"),
                Some(items) => self.between("{", items, "}", depth),
            },
            PickleNode::FrozenSet(items) => {
                let items = graph.items(*items).unwrap_or_default();
                self.between("frozenset({", items, "})", depth);
            }
            PickleNode::Dict(pairs) => self.dict(pairs, depth),
            PickleNode::Global(_) => self.class(id),
            PickleNode::Object(object) => {
                self.class(object.class);
                let args = graph.items(object.args).unwrap_or_default();
                self.between("(", args, ")", depth);
            }
        }
    }

    fn is_full(&self) -> bool {
        self.out.len() > SHOWN_MAX
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn text(&mut self, text: &str) {
        let part = head(text, SHOWN_MAX);
        let _ = write!(self.out, "{part:?}");
        if part.len() < text.len() {
            self.put("...");
        }
    }

    fn latin1(&mut self, text: NodeId) {
        match self.graph.text(text) {
            Some(text) => {
                self.put("b");
                self.text(text);
            }
            None => self.put("..."),
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let part = bytes.get(..SHOWN_MAX).unwrap_or(bytes);
        self.put(&format!("b'{}'", part.escape_ascii()));
        if part.len() < bytes.len() {
            self.put("...");
        }
    }

    fn big(&mut self, bytes: &[u8]) {
        let (is_negative, mut hex) =
            (bytes.last().is_some_and(|byte| *byte >= 0x80), String::new());
        let mut carry = is_negative;
        for byte in bytes {
            let mut digit = *byte;
            if is_negative {
                (digit, carry) = (!digit).overflowing_add(u8::from(carry));
            }
            hex.insert_str(0, &format!("{digit:02x}"));
        }
        let sign = if is_negative { "-" } else { "" };
        let digits = hex.trim_start_matches('0');
        self.put(&format!("{sign}0x{digits}"));
    }

    fn tuple(&mut self, items: &[NodeId], depth: usize) {
        let end = if items.len() == 1 { ",)" } else { ")" };
        self.between("(", items, end, depth);
    }

    fn between(&mut self, begin: &str, items: &[NodeId], end: &str, depth: usize) {
        self.put(begin);
        for (at, item) in items.iter().enumerate() {
            self.put(if at == 0 { "" } else { ", " });
            if self.is_full() {
                self.put("...");
                break;
            }
            self.value(*item, depth + 1);
        }
        self.put(end);
    }

    fn dict(&mut self, pairs: &[(NodeId, NodeId)], depth: usize) {
        self.put("{");
        for (at, (key, value)) in pairs.iter().enumerate() {
            self.put(if at == 0 { "" } else { ", " });
            if self.is_full() {
                self.put("...");
                break;
            }
            self.value(*key, depth + 1);
            self.put(": ");
            self.value(*value, depth + 1);
        }
        self.put("}");
    }

    /// A class by its name, without its module, as exceptions are told.
    fn class(&mut self, id: NodeId) {
        let name = self.graph.global(id).map_or("...", |(_, name)| name);
        self.put(head(name, 256));
    }
}

/// So many bytes of a text, in whole characters.
pub(crate) fn head(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    end.and_then(|end| text.get(..end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::read::read;
    use super::shown;

    fn of(pickle: &[u8]) -> String {
        let (graph, root) = read(pickle, 100_000).unwrap();
        shown(&graph, root)
    }

    #[test]
    fn about_as_repr() {
        for (pickle, text) in [
            (&b"(I1\nF1.5\nNI01\nVa\"b\nt."[..], r#"(1, 1.5, None, True, "a\"b")"#),
            (b"(I1\nt.", "(1,)"),
            (b"(lp0\nI1\naI2\na.", "[1, 2]"),
            (b"(dp0\nVa\n(lp1\ns.", r#"{"a": []}"#),
            (b"L1208925819614629174706176L\n.", "0x100000000000000000000"),
            (b"L-1208925819614629174706176L\n.", "-0x100000000000000000000"),
            (b"\x80\x03C\x02\xffa.", r"b'\xffa'"),
            (b"c__main__\nCustomError\n(Vno\nI2\ntR.", r#"CustomError("no", 2)"#),
            (b"c__main__\nCustomError\n.", "CustomError"),
            (b"\x80\x04\x8f(K\x01\x90.", "{1}"),
            (b"\x80\x04\x8f.", "set()"),
            (b"\x80\x04(K\x01\x91.", "frozenset({1})"),
        ] {
            assert_eq!(of(pickle), text, "{}", pickle.escape_ascii());
        }
    }

    #[test]
    fn what_is_long_deep_or_inside_itself_ends() {
        let long = [b"V".as_slice(), &[b'x'; 100_000], b"\n."].concat();
        assert!(of(&long).len() < 5_000 && of(&long).ends_with("..."));
        let wide = [b"(".as_slice(), &b"I1\n".repeat(10_000), b"l."].concat();
        assert!(of(&wide).len() < 5_000 && of(&wide).ends_with("...]"));
        assert_eq!(of(b"(lp0\ng0\na."), "[[[[[[[[[...]]]]]]]]]");
        // Each of eight lists holds the one before a hundred times.
        let mut doubling = b"(lp0\n".to_vec();
        for at in 1..8 {
            doubling.extend(b"0(");
            doubling.extend(format!("g{}\n", at - 1).repeat(100).into_bytes());
            doubling.extend(format!("lp{at}\n").into_bytes());
        }
        doubling.push(b'.');
        let (graph, root) = read(&doubling, 100_000).unwrap_or_else(|bad| panic!("{bad}"));
        assert!(shown(&graph, root).len() < 6_000);
        let big = [&b"\x80\x02\x8b\x10\x27\0\0"[..], &[1; 10_000], b"."].concat();
        assert_eq!(of(&big), "...");
    }
}
