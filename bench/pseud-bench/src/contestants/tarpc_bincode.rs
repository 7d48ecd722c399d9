//! tarpc with bincode over tokio's sockets.

use super::Contestant;
use crate::child;
use crate::job::Job;
use crate::load::{self, Call};
use anyhow::{Context, Result, ensure};
use futures_util::StreamExt;
use serde_bytes::ByteBuf;
use tarpc::server::{BaseChannel, Channel};
use tarpc::tokio_serde::formats::Bincode;
use tarpc::{client, context, serde_transport};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const CONTESTANT: Contestant = Contestant {
    name: "tarpc",
    about: "tarpc with bincode",
    fits: |_| true,
    serve,
    drive,
    call_out: None,
};

const SETTINGS: &str = "TCP_NODELAY; bincode, deadline 10 s, 1000 requests in flight a link";

#[tarpc::service]
trait Echo {
    async fn echo(body: ByteBuf) -> ByteBuf;
}

#[derive(Clone)]
struct Echoing {
    micros: u64,
}

impl Echo for Echoing {
    async fn echo(self, _: context::Context, body: ByteBuf) -> ByteBuf {
        child::spin(self.micros);
        body
    }
}

fn serve(job: &Job) -> Result<()> {
    child::serve(job, async || {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = listener.local_addr()?.to_string();
        let accepting = tokio::spawn(accept(listener, Echoing { micros: job.handler_micros }));
        Ok((endpoint, SETTINGS.into(), accepting))
    })
}

async fn accept(listener: TcpListener, echoing: Echoing) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let transport = serde_transport::Transport::from((stream, Bincode::default()));
        let channel = BaseChannel::with_defaults(transport);
        let serving = channel.execute(echoing.clone().serve());
        tokio::spawn(serving.for_each(async |handler| drop(tokio::spawn(handler))));
    }
}

fn drive(job: &Job) -> Result<()> {
    child::drive(
        job,
        async || {
            let server = job.server.as_ref().context("a client needs a server")?;
            let mut callers = Vec::new();
            for _ in 0..job.links {
                let stream = TcpStream::connect(server).await?;
                stream.set_nodelay(true)?;
                let transport = serde_transport::Transport::from((stream, Bincode::default()));
                let client = EchoClient::new(client::Config::default(), transport).spawn();
                let caller = Caller { client, body: ByteBuf::from(vec![7; job.size]) };
                callers.extend((0..job.in_flight).map(|_| caller.clone()));
            }
            Ok((callers, SETTINGS.into()))
        },
        |caller, load| tokio::spawn(load::run(caller, load)),
    )
}

#[derive(Clone)]
struct Caller {
    client: EchoClient,
    body: ByteBuf,
}

impl Call for Caller {
    async fn call(&mut self) -> Result<()> {
        let result = self.client.echo(context::current(), self.body.clone()).await?;
        ensure!(result.len() == self.body.len(), "an echo is as long as what was sent");
        Ok(())
    }
}
