//! jsonrpsee: JSON-RPC over WebSocket.

use super::Contestant;
use crate::child;
use crate::job::Job;
use crate::load::{self, Call};
use anyhow::{Context, Result, ensure};
use jsonrpsee::core::client::ClientT;
use jsonrpsee::rpc_params;
use jsonrpsee::server::{RpcModule, Server, ServerConfig};
use jsonrpsee::ws_client::{WsClient, WsClientBuilder};
use std::sync::Arc;

pub(crate) const CONTESTANT: Contestant = Contestant {
    name: "jsonrpsee",
    about: "jsonrpsee: JSON-RPC over WebSocket, the body a text",
    fits: |_| true,
    serve,
    drive,
    call_out: None,
};

const SETTINGS: &str =
    "TCP_NODELAY; defaults (time-out 60 s), messages of 10 MiB at most, 1024 requests at a time";
/// Its default of 256 would refuse more, and a greedy peer has 1 000.
const AT_A_TIME: usize = 1_024;

fn serve(job: &Job) -> Result<()> {
    let micros = job.handler_micros;
    child::serve(job, async || {
        let config = ServerConfig::builder().set_tcp_no_delay(true).build();
        let server = Server::builder().set_config(config).build("127.0.0.1:0").await?;
        let endpoint = server.local_addr()?.to_string();
        let mut module = RpcModule::new(());
        module.register_async_method("echo", move |params, _, _| async move {
            child::spin(micros);
            params.one::<String>()
        })?;
        Ok((endpoint, SETTINGS.into(), server.start(module)))
    })
}

fn drive(job: &Job) -> Result<()> {
    child::drive(
        job,
        async || {
            let server = job.server.as_ref().context("a client needs a server")?;
            let mut callers = Vec::new();
            for _ in 0..job.links {
                let builder = WsClientBuilder::new()
                    .set_tcp_no_delay(true)
                    .max_concurrent_requests(AT_A_TIME);
                let client = Arc::new(builder.build(format!("ws://{server}")).await?);
                let caller = Caller { client, body: "7".repeat(job.size) };
                callers.extend((0..job.in_flight).map(|_| caller.clone()));
            }
            Ok((callers, SETTINGS.into()))
        },
        |caller, load| tokio::spawn(load::run(caller, load)),
    )
}

#[derive(Clone)]
struct Caller {
    client: Arc<WsClient>,
    body: String,
}

impl Call for Caller {
    async fn call(&mut self) -> Result<()> {
        let result: String = self.client.request("echo", rpc_params![&self.body]).await?;
        ensure!(result.len() == self.body.len(), "an echo is as long as what was sent");
        Ok(())
    }
}
