//! A case in a process of its own: what it uses up is nobody else's, and what it measures its own.

use std::future::Future;
use std::process::Command;

/// Set in that process.
const INSIDE: &str = "PSEUD_ALONE";

/// Plays the case of that test in a process with at most so many open files.
pub(crate) async fn alone<F: Future<Output = ()>>(
    test: &str,
    files_max: u32,
    case: impl FnOnce() -> F,
) {
    if std::env::var_os(INSIDE).is_some() {
        return case().await;
    }
    let this = std::env::current_exe().unwrap();
    let this = this.display();
    let limited = format!("ulimit -n {files_max}; exec '{this}' --exact {test} --nocapture");
    let output = tokio::task::spawn_blocking(move || {
        Command::new("sh").arg("-c").arg(limited).env(INSIDE, "1").output().unwrap()
    });
    let output = output.await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    print!("{said}");
}
