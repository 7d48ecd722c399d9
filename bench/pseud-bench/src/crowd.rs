//! Thousands of clients in one process: they connect, answer what they are asked, and call when they
//! are told to. Only their server is looked at, so all ZMTP servers get the same clients: the core
//! of this library, each in a task.

mod member;

use crate::child;
use crate::contestants::{client_options, mechanism_of, member_name};
use crate::job::{Answer, Command, Job};
use anyhow::{Context, Result, bail};
use member::{Member, Speaks, Told};
use pseud::Config;
use pseud::proto::zmtp::ConnectionConfig;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// Handshakes at the same time.
const AT_ONCE: usize = 64;
/// For all of a crowd to do what it was told.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) fn run(job: &Job) -> Result<()> {
    job.runtime.build()?.block_on(async {
        let mut crowd = Crowd::new(job)?;
        child::ready("", "");
        let mut commands = child::commands();
        while let Some(command) = commands.recv().await {
            let Command::Crowd { links, calls } = command else { bail!("not told {command:?}") };
            timeout(PATIENCE, crowd.become_like(links, calls))
                .await
                .context("a crowd stalls")??;
            child::say(&Answer::Done);
        }
        Ok(())
    })
}

struct Crowd {
    server: String,
    size: usize,
    speaks: Speaks,
    connection: ConnectionConfig,
    config: Arc<Config>,
    /// How many calls each member is to have made; dropped, all leave.
    calls: watch::Sender<usize>,
    told: mpsc::UnboundedSender<Told>,
    hears: mpsc::UnboundedReceiver<Told>,
    links: usize,
}

impl Crowd {
    fn new(job: &Job) -> Result<Self> {
        let options = client_options(mechanism_of(&job.contestant));
        let speaks = match job.contestant.as_str() {
            name if name.starts_with("raw-") => Speaks::Bytes,
            name if name.starts_with("pseud") => Speaks::Pseud,
            _ => Speaks::Zmtp,
        };
        let (told, hears) = mpsc::unbounded_channel();
        Ok(Self {
            server: job.server.clone().context("a client needs a server")?,
            size: job.size,
            speaks,
            connection: options.connection,
            config: Arc::new(options.config),
            calls: watch::Sender::new(0),
            told,
            hears,
            links: 0,
        })
    }

    async fn become_like(&mut self, links: usize, calls: usize) -> Result<()> {
        if links == 0 {
            self.calls = watch::Sender::new(0);
            self.heard(Told::Left, self.links).await?;
            self.links = 0;
            return Ok(());
        }
        let mut awaited = 0;
        while self.links < links {
            self.begin(self.links).await?;
            self.links += 1;
            awaited += 1;
            if awaited >= AT_ONCE {
                self.heard(Told::Ready, 1).await?;
                awaited -= 1;
            }
        }
        self.heard(Told::Ready, awaited).await?;
        if calls > *self.calls.borrow() {
            let more = calls - *self.calls.borrow();
            self.calls.send_replace(calls);
            self.heard(Told::Called, more * self.links).await?;
        }
        Ok(())
    }

    async fn begin(&self, number: usize) -> Result<()> {
        let mut connection = self.connection.clone();
        connection.identity = member_name(number).into();
        // An echo of the probe would be taken for a call, and echoed, for ever.
        connection.probe = false;
        let member = Member::connect(
            &self.server,
            self.speaks,
            (self.config.clone(), Arc::new(connection)),
            self.size,
        );
        let (calls, told) = (self.calls.subscribe(), self.told.clone());
        tokio::spawn(member.await?.live(calls, told));
        Ok(())
    }

    /// Waits until that many members said so.
    async fn heard(&mut self, what: Told, mut times: usize) -> Result<()> {
        while times > 0 {
            match self.hears.recv().await.context("members have a sender")? {
                Told::Failed(error) => bail!("a client of the crowd: {error}"),
                told if told == what => times -= 1,
                told => bail!("{told:?} where {what:?} is awaited"),
            }
        }
        Ok(())
    }
}
