//! One call after another: `sequential serve` in one process, `sequential call ENDPOINT COUNT` in
//! another; without arguments both in one.

use pseud_blocking::{Client, Server, Wait};
use pseud_proto::Fault;
use std::error::Error;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["serve"] => serve()?.0.serve()?,
        ["call", endpoint, count] => call(endpoint, count.parse()?)?,
        _ => {
            let (_server, endpoint) = serve()?;
            call(&endpoint, 100_000)?;
        }
    }
    Ok(())
}

fn serve() -> Result<(Server, String), Box<dyn Error>> {
    let server = Server::new("service")?;
    server.register_sync("add", |request| {
        let (a, b): (i64, i64) = request.args()?;
        Ok::<_, Fault>(a + b)
    })?;
    let endpoint = server.bind("tcp://127.0.0.1:0")?;
    println!("{endpoint}");
    Ok((server, endpoint.into()))
}

fn call(endpoint: &str, count: u32) -> Result<(), Box<dyn Error>> {
    let client = Client::new("service")?;
    client.connect(endpoint)?;
    client.ready()?;
    let began = Instant::now();
    for _ in 0..count {
        let _: i64 = client.call("add", (2, 4)).wait()?;
    }
    println!("{:?} a call", began.elapsed() / count.max(1));
    Ok(())
}
