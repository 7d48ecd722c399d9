//! What happens in a life besides calls.

use super::book;
use super::callers::Present;
use super::life::Scene;
use pseud_testkit::luck::Luck;
use pseud_testkit::sim::{self, Conditions};
use std::time::Duration;

/// Makes trouble now and then, for as long as it is let.
pub(super) async fn make(scene: Scene, mut luck: Luck) {
    loop {
        sim::sleep(luck.millis(0, 400)).await;
        match luck.between(0, 11) {
            0 | 1 => drop(sim::world().cut()),
            2 => drop(sim::world().silence()),
            3 => restart(&scene, &mut luck).await,
            4 => take_over(&scene, &mut luck),
            5 => dial_again(&scene, &mut luck),
            6 => show_out(&scene.server, &mut luck),
            7 => listen_again(&scene).await,
            8 => kick(&scene.server, &mut luck),
            _ => change(&mut luck),
        }
    }
}

/// The server ends, in order or not, and another one takes its place at the same address.
async fn restart(scene: &Scene, luck: &mut Luck) {
    let old = scene.server.server();
    match luck.between(0, 3) {
        0 => old.shutdown(),
        1 => scene.drain(&old, Duration::ZERO).await,
        _ => scene.drain(&old, luck.millis(0, 1_000)).await,
    }
    scene.has_ended(&old);
    let new = scene.new_server();
    new.bind(&scene.endpoint).await.expect("what has ended has left its address");
    *scene.server.0.lock().unwrap() = new;
}

/// A second client of one name.
fn take_over(scene: &Scene, luck: &mut Luck) {
    let number = luck.between(0, scene.desks.len());
    let mut twins = scene.twins.lock().unwrap();
    twins[number] = match twins[number].take() {
        Some(_) => None,
        None => Some(scene.new_client(number, true)),
    };
}

/// A client leaves, and comes back.
fn dial_again(scene: &Scene, luck: &mut Luck) {
    let desk = &scene.desks[luck.between(0, scene.desks.len())];
    desk.disconnect(&scene.endpoint).expect("it is connected to");
    desk.connect(&scene.endpoint).expect("nobody else connects it");
}

/// The server ends a session.
fn show_out(server: &Present, luck: &mut Luck) {
    let sessions = server.server().all_sessions();
    if !sessions.is_empty() {
        sessions[luck.between(0, sessions.len())].disconnect();
    }
}

/// The server ends all sessions of a user.
fn kick(server: &Present, luck: &mut Luck) {
    server.server().disconnect_user(book::name(luck.between(0, book::NAMES)));
}

/// The server listens no more, and does again.
async fn listen_again(scene: &Scene) {
    let server = scene.server.server();
    server.unbind(&scene.endpoint).expect("it listens there");
    server.bind(&scene.endpoint).await.expect("what was unbound is free");
}

fn change(luck: &mut Luck) {
    let all = [Conditions::calm, Conditions::windy, Conditions::stormy, Conditions::stormy];
    sim::world().change(all[luck.between(0, all.len())]());
}
