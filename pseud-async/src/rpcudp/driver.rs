//! The task of one endpoint: it receives, keeps time, and sends what the socket did not take at once.

use super::serve::ServedEndpoint;
use crate::datagram::shared::{SharedSocket, is_of_another};
use crate::datagram::socket::DatagramSocket;
use crate::runtime::{Runtime, Timer};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// Datagrams that are taken in one turn; then other tasks have theirs.
const PORTION: usize = 32;

/// The largest datagram, and a byte that shows a larger one.
const BUFFER_BYTES: usize = 65_536;

/// Closes the endpoint when its task ends, also where that is since the runtime goes away: no call then
/// waits for ever.
pub(super) struct EndsEndpoint(pub(super) Arc<ServedEndpoint>);

impl Drop for EndsEndpoint {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Runs until the endpoint is closed.
pub(super) async fn run<R: Runtime>(runtime: R, ends: EndsEndpoint) {
    let (mut buffer, mut timer) = (vec![0; BUFFER_BYTES], None);
    let EndsEndpoint(serving) = &ends;
    let shared = &serving.shared;
    // Its own: the port is free once this ends, whoever holds a handle.
    let Some(socket) = shared.lock().socket.clone() else { return };
    let socket = &*socket;
    poll_fn(|cx| {
        shared.driver.register(cx.waker());
        for _ in 0..PORTION {
            if shared.hub.is_shut_down() {
                return Poll::Ready(());
            }
            let sent = poll_stuck(shared, socket, cx);
            let received = poll_receive(serving, socket, &mut buffer, cx);
            let timed = poll_timer(&runtime, shared, &mut timer, cx);
            if !(sent || received || timed) {
                return Poll::Pending;
            }
        }
        runtime.yield_now(cx);
        Poll::Pending
    })
    .await;
}

/// Whether a datagram was received, or an error.
fn poll_receive(
    serving: &ServedEndpoint,
    socket: &dyn DatagramSocket,
    buffer: &mut [u8],
    cx: &mut Context<'_>,
) -> bool {
    let shared = &serving.shared;
    match socket.poll_receive(cx, buffer) {
        Poll::Pending => false,
        Poll::Ready(Ok((size, from))) => {
            let now = shared.now();
            let mut inner = shared.lock();
            let datagram = buffer.get(..size).unwrap_or_default();
            let handled = inner.machine.handle_datagram(from, datagram, now);
            let (wakers, requests) = inner.collect();
            drop(inner);
            wakers.into_iter().for_each(Waker::wake);
            requests.into_iter().for_each(|request| serving.serve(request));
            if let Err(why) = handled {
                shared.log.dropped(from, why, now);
            }
            shared.log.catch_up(now);
            shared.flush();
            true
        }
        Poll::Ready(Err(error)) => {
            if !is_of_another(&error) {
                shared.log.not_received(&error);
            }
            true
        }
    }
}

/// Whether the socket took what it had not taken.
fn poll_stuck(shared: &SharedSocket, socket: &dyn DatagramSocket, cx: &mut Context<'_>) -> bool {
    if shared.lock().stuck.is_none() || socket.poll_send_ready(cx).is_pending() {
        return false;
    }
    shared.send_stuck();
    shared.flush();
    true
}

/// Whether something was due.
fn poll_timer<R: Runtime>(
    runtime: &R,
    shared: &SharedSocket,
    timer: &mut Option<R::Timer>,
    cx: &mut Context<'_>,
) -> bool {
    let mut inner = shared.lock();
    let next = inner.machine.poll_timeout();
    let changed = next != inner.armed;
    inner.armed = next;
    drop(inner);
    let Some(next) = next else { return false };
    let timer = timer.get_or_insert_with(|| runtime.timer(next));
    if changed {
        timer.reset(next);
    }
    if timer.poll(cx).is_pending() {
        return false;
    }
    let mut inner = shared.lock();
    inner.machine.handle_timeout(shared.now());
    inner.armed = None;
    let (wakers, _) = inner.collect();
    drop(inner);
    wakers.into_iter().for_each(Waker::wake);
    shared.flush();
    true
}
