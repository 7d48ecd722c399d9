//! The echo.

use super::{Mechanism, router, settings};
use crate::child;
use crate::contestants::pseud_frames;
use crate::job::Job;
use anyhow::{Context as _, Result};
use zmq::{Context, Message, SNDMORE, Socket};

/// Frames of a request of pseud, its sender's identity before them.
const PSEUD_FRAMES: usize = pseud_frames::COUNT + 1;
/// Of those, the kind; and the byte that says that the body is a result.
const KIND: usize = 4;
const OK: &[u8] = &[0x01];

pub(super) fn serve(job: &Job, mechanism: Mechanism) -> Result<()> {
    let context = Context::new();
    let socket = router(&context, mechanism, true)?;
    socket.bind("tcp://127.0.0.1:*")?;
    let endpoint = socket.get_last_endpoint()?.ok().context("an endpoint is text")?;
    child::ready(endpoint.trim_start_matches("tcp://"), settings(mechanism));
    let _commands = child::commands();
    let mut frames = Vec::new();
    loop {
        echo(&socket, &mut frames, job.handler_micros)?;
    }
}

/// All is sent back; a request of pseud as its own result, so that a Python client can be served.
fn echo(socket: &Socket, frames: &mut Vec<Message>, micros: u64) -> Result<()> {
    frames.clear();
    loop {
        let frame = socket.recv_msg(0)?;
        let is_last = !frame.get_more();
        frames.push(frame);
        if is_last {
            break;
        }
    }
    if frames.len() == 2 && frames[1].is_empty() {
        // A probe.
        return Ok(());
    }
    if frames.len() == PSEUD_FRAMES {
        frames[KIND] = Message::from(OK);
    }
    child::spin(micros);
    let mut left = frames.len();
    for frame in frames.drain(..) {
        left -= 1;
        socket.send(frame, if left > 0 { SNDMORE } else { 0 })?;
    }
    Ok(())
}
