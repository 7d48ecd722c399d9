//! libzmq: ROUTER to ROUTER, frames echoed, by the blocking sockets it is made for. No RPC.

mod call_out;
mod client;
mod server;

use super::Contestant;
use super::ours::key_pairs;
use super::pseud_frames::HEAD;
#[cfg(feature = "python")]
use crate::job::Job;
use anyhow::Result;
use zmq::{Context, Socket};

pub(crate) const CONTESTANTS: [Contestant; 3] = [
    Contestant {
        name: "libzmq",
        about: "libzmq, ROUTER to ROUTER by blocking sockets: pseud's five frames echoed, no RPC",
        fits: |_| true,
        serve: |job| server::serve(job, Mechanism::Null),
        drive: |job| client::drive(job, Mechanism::Null, &HEAD),
        call_out: Some(call_out::call_out),
    },
    Contestant {
        name: "libzmq-bare",
        about: "the same with one frame instead of five",
        fits: |_| true,
        serve: |job| server::serve(job, Mechanism::Null),
        drive: |job| client::drive(job, Mechanism::Null, &[]),
        call_out: None,
    },
    Contestant {
        name: "libzmq-curve",
        about: "libzmq with CURVE, five frames, all keys admitted; only where the libzmq in use has it",
        fits: |_| has_curve(),
        serve: |job| server::serve(job, Mechanism::Curve),
        drive: |job| client::drive(job, Mechanism::Curve, &HEAD),
        call_out: None,
    },
];

/// For clients that are not of this module.
#[cfg(feature = "python")]
pub(super) fn serve_null(job: &Job) -> Result<()> {
    server::serve(job, Mechanism::Null)
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mechanism {
    Null,
    Curve,
}

/// The source that the crate builds has no CURVE; a system's libzmq may have it.
pub(crate) fn has_curve() -> bool {
    zmq::has("curve").unwrap_or(false)
}

/// The name by which a client's ROUTER addresses the server.
const SERVER: &[u8] = b"service";

/// A ROUTER that neither drops nor blocks what a scenario has in flight, and never outlives its use.
fn router(context: &Context, mechanism: Mechanism, is_server: bool) -> Result<Socket> {
    let socket = context.socket(zmq::ROUTER)?;
    socket.set_sndhwm(0)?;
    socket.set_rcvhwm(0)?;
    socket.set_linger(0)?;
    if is_server {
        socket.set_identity(SERVER)?;
    } else {
        // Sending fails until the server is there, and then never drops.
        socket.set_router_mandatory(true)?;
    }
    if mechanism == Mechanism::Curve {
        let [server, client] = key_pairs();
        if is_server {
            socket.set_curve_server(true)?;
            socket.set_curve_secretkey(server.secret().expose())?;
        } else {
            socket.set_curve_serverkey(server.public().as_bytes())?;
            socket.set_curve_publickey(client.public().as_bytes())?;
            socket.set_curve_secretkey(client.secret().expose())?;
        }
    }
    Ok(socket)
}

fn settings(mechanism: Mechanism) -> String {
    let (major, minor, patch) = zmq::version();
    let mechanism = match mechanism {
        Mechanism::Null => "NULL",
        Mechanism::Curve => "CURVE",
    };
    format!(
        "libzmq {major}.{minor}.{patch}, {mechanism}; one I/O thread, no time-outs, no high-water mark"
    )
}
