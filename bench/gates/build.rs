//! Notes which compiler builds this program.

use std::env;
use std::process::Command;

fn main() {
    let compiler = env::var("RUSTC").expect("cargo says which");
    let output = Command::new(compiler).arg("--version").output().expect("it just ran");
    println!("cargo::rustc-env=GATES_COMPILER={}", String::from_utf8_lossy(&output.stdout).trim());
    println!("cargo::rerun-if-changed=build.rs");
}
