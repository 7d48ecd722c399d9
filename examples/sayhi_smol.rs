//! Calls over datagrams under smol, both in one run: `cargo run --features rpcudp,smol --example sayhi_smol`

use pseud::Fault;
use pseud::asyncstd::rpcudp::Endpoint;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    smol::block_on(async {
        let server = Endpoint::bind("127.0.0.1:0".parse()?)?;
        server.register_typed("sayhi", |(name,): (String,), request| async move {
            // Either end calls the other: the sender has a handler, too.
            let sender = request.caller().rpcudp().ok_or_else(|| Fault::new("NoSender", ""))?;
            let home: String = sender.call("home", ()).await?;
            Ok::<_, Fault>(format!("Hello {name} you live at {home}"))
        })?;
        let client = Endpoint::bind("127.0.0.1:0".parse()?)?;
        client.register_sync("home", |_| Ok::<_, Fault>("home"))?;
        let call = client.call::<String, _>(server.local_addr(), "sayhi", ("Snake Plissken",));
        println!("{}", call.await?);
        Ok(())
    })
}
