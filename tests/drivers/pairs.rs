//! Every driver's server with every driver's client: a test of each pair, `pairs::SERVER::serves::CLIENT`,
//! that holds all scenarios for which both have means.
//!
//! `async-io` has one executor in a build: its tasks run on this library's, awaited under smol, or with the
//! feature `async-std` on that one's. The test is named after it.

use crate::end::Driver;
use crate::{hold, live, print};

/// Hands the list of drivers to a macro: both sides of the square are this list.
macro_rules! drivers {
    ($then:ident) => {
        $then! {
            tokio: crate::nodes::sockets::tokio;
            #[cfg(not(feature = "async-std"))]
            smol: crate::nodes::sockets::smol;
            #[cfg(feature = "async-std")]
            async_std: crate::nodes::sockets::smol;
            blocking: crate::nodes::sockets::blocking;
            #[cfg(feature = "zmq")]
            zmq: crate::nodes::sockets::zmq;
            own_loop: crate::own_loop::driver;
            python: crate::live::driver;
        }
    };
}

macro_rules! servers {
    ($($(#[$cfg:meta])? $name:ident: $driver:path;)*) => {$(
        $(#[$cfg])?
        mod $name {
            mod serves {
                fn server() -> Option<crate::end::Driver> {
                    $driver().into()
                }

                drivers!(clients);
            }
        }
    )*};
}

macro_rules! clients {
    ($($(#[$cfg:meta])? $name:ident: $driver:path;)*) => {$(
        $(#[$cfg])?
        #[test]
        fn $name() {
            crate::pairs::pair(server(), $driver());
        }
    )*};
}

drivers!(servers);

/// Nothing where Python is not to be run: it said so.
fn pair(server: Option<Driver>, client: impl Into<Option<Driver>>) {
    if let (Some(server), Some(mut client)) = (server, client.into()) {
        if server.name == "python" && client.name == "python" {
            client.not_as_client.extend(live::NOT_OF_ITS_OWN);
        }
        print(&hold(&server.into(), &client.into()));
    }
}
