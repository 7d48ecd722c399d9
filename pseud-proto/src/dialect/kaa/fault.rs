//! Exceptions: a pair of the instance and where it was raised.

use super::pickle::node::{Graph, NodeId, PickleNode};
use super::pickle::shown::{head, shown, shown_tuple};
use super::pickle::write::{KaaPickleWriter, Unwritable};
use crate::error::{Exception, Fault};
use std::fmt::Write;

/// Frames of a stack that are told.
const FRAMES_MAX: usize = 256;

/// Bytes of a message or a traceback that are kept.
const TEXT_MAX: usize = 64 * 1024;

/// The fault that an EXCP's payload tells of.
pub(crate) fn read(graph: &Graph<'_>, root: NodeId) -> Option<Fault> {
    let [exception, stack] = graph.items(root)? else { return None };
    let exception = graph.object(*exception)?;
    let (_, class) = graph.global(exception.class)?;
    let args = graph.items(exception.args)?;
    // What a coroutine of kaa's raised tells the whole of it in text: the stack is a part of that.
    let state = exception.state;
    let whole = state.and_then(|state| graph.value_of(state, "formatted_traceback"));
    let traceback = match whole.and_then(|whole| graph.text(whole)) {
        Some(whole) => cut(whole),
        None => traceback(graph, *stack),
    };
    let fault = Fault::new(cut(class), message(graph, args));
    Some(fault.with_traceback(cut(&traceback)))
}

/// `str(exception)`, but for KeyError, whose text is the key itself here.
fn message(graph: &Graph<'_>, args: &[NodeId]) -> String {
    match args {
        [] => String::new(),
        [one] => match graph.get(*one) {
            PickleNode::Text(text) => cut(text),
            // What Python 2 says in another encoding than UTF-8 is still read by people.
            PickleNode::Bytes(bytes) => {
                String::from_utf8_lossy(bytes.get(..TEXT_MAX).unwrap_or(bytes)).into()
            }
            _ => shown(graph, *one),
        },
        several => shown_tuple(graph, several),
    }
}

/// Python 2: a list of `(file, line, function, source)`. Python 3: a `StackSummary`, a list of
/// `FrameSummary`, whose state is `(None, {…})`.
fn traceback(graph: &Graph<'_>, stack: NodeId) -> String {
    let summaries = graph.object(stack).map(|stack| stack.items.as_slice());
    let frames = graph.items(stack).or(summaries).unwrap_or_default();
    let mut text = String::new();
    for frame in frames.iter().take(FRAMES_MAX) {
        if let Some([file, line, function, source]) = parts(graph, *frame) {
            push_frame(graph, &mut text, [file, line, function], source);
        }
        if text.len() > TEXT_MAX {
            break;
        }
    }
    text
}

fn parts(graph: &Graph<'_>, frame: NodeId) -> Option<[Option<NodeId>; 4]> {
    if let Some([file, line, function, source]) = graph.items(frame) {
        return Some([Some(*file), Some(*line), Some(*function), Some(*source)]);
    }
    let [_, state] = graph.items(graph.object(frame)?.state?)? else { return None };
    let of = |name| graph.value_of(*state, name);
    Some([of("filename"), of("lineno"), of("name"), of("_line").or(of("line"))])
}

/// As Python's `traceback` writes it.
fn push_frame(
    graph: &Graph<'_>,
    text: &mut String,
    [file, line, function]: [Option<NodeId>; 3],
    source: Option<NodeId>,
) {
    let name = |id: Option<NodeId>| id.and_then(|id| graph.text(id)).map(cut).unwrap_or_default();
    let line = match line.map(|line| graph.get(line)) {
        Some(PickleNode::Int(line)) => *line,
        _ => 0,
    };
    let (file, function) = (name(file), name(function));
    let _ = writeln!(text, "  File \"{file}\", line {line}, in {function}");
    match name(source).trim() {
        "" => {}
        source => {
            let _ = writeln!(text, "    {source}");
        }
    }
}

fn cut(text: &str) -> String {
    head(text, TEXT_MAX).to_owned()
}

/// Writes an EXCP's payload, without STOP. A class that only Python 3 has, or nobody, is told in the text of one that both
/// have: an unknown one would arrive as an ImportError.
pub(crate) fn write(writer: &mut KaaPickleWriter<'_>, fault: &Fault) -> Result<(), Unwritable> {
    let (class, message) = class(fault);
    writer.put(b"cexceptions\n")?;
    writer.put(class.as_bytes())?;
    writer.put(b"\n")?;
    match message.as_str() {
        "" => writer.put(b")R")?,
        message => {
            writer.text(message)?;
            writer.put(b"\x85R")?;
        }
    }
    writer.put(b"](")?;
    for line in fault.traceback.as_deref().unwrap_or_default().lines().take(FRAMES_MAX) {
        writer.put(b"(")?;
        writer.text("pseud")?;
        writer.put(b"K\0")?;
        writer.text("handler")?;
        writer.text(line)?;
        writer.put(b"t")?;
    }
    writer.put(b"e\x86")
}

fn class(fault: &Fault) -> (&'static str, String) {
    let named = |class| {
        let both = [fault.class.as_str(), fault.message.as_str()];
        let both: Vec<_> = both.into_iter().filter(|part| !part.is_empty()).collect();
        (class, both.join(": "))
    };
    match fault.exception() {
        // What the reference raises for a command that nobody registered.
        Some(Exception::ServiceNotFoundError) => ("KeyError", fault.message.clone()),
        Some(Exception::PermissionError | Exception::ConnectionError | Exception::TimeoutError) => {
            named("OSError")
        }
        Some(Exception::UnauthorizedError) | None => named("Exception"),
        Some(exception) => (exception.name(), fault.message.clone()),
    }
}
