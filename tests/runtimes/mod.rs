//! The runtimes, by what tests of wires ask of one.

use pseud_async::adapter::Runtime;
use std::future::Future;
use std::sync::LazyLock;

/// A runtime that ends live on.
pub(crate) trait OnRuntime {
    /// The ends' type.
    type Runtime: Runtime;
    /// How it is called in the README's table.
    const NAME: &'static str;

    /// Makes an end there.
    fn make<T>(make: impl FnOnce() -> T) -> T {
        make()
    }

    /// Waits as users of that runtime do.
    fn wait<F: Future>(future: F) -> F::Output;
}

/// tokio, on two workers.
pub(crate) struct Tokio;

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
});

impl OnRuntime for Tokio {
    type Runtime = pseud_tokio::Tokio;
    const NAME: &'static str = "tokio";

    fn make<T>(make: impl FnOnce() -> T) -> T {
        let _entered = RUNTIME.enter();
        make()
    }

    fn wait<F: Future>(future: F) -> F::Output {
        RUNTIME.block_on(future)
    }
}

/// `async-io`, awaited under smol.
pub(crate) struct Smol;

impl OnRuntime for Smol {
    type Runtime = pseud_asyncstd::AsyncIo;
    const NAME: &'static str = "smol";

    fn wait<F: Future>(future: F) -> F::Output {
        smol::block_on(future)
    }
}

/// Plain threads.
pub(crate) struct Blocking;

impl OnRuntime for Blocking {
    type Runtime = pseud_blocking::Threads;
    const NAME: &'static str = "blocking";

    fn wait<F: Future>(future: F) -> F::Output {
        pseud_blocking::block_on(future).unwrap()
    }
}

/// Tests of every pair: `hold::<A, B>()` is called for each.
macro_rules! all_pairs {
    ($hold:ident) => {
        $crate::runtimes::all_pairs! { $hold
            tokio_and_tokio: Tokio, Tokio;
            tokio_and_smol: Tokio, Smol;
            tokio_and_blocking: Tokio, Blocking;
            smol_and_tokio: Smol, Tokio;
            smol_and_smol: Smol, Smol;
            smol_and_blocking: Smol, Blocking;
            blocking_and_tokio: Blocking, Tokio;
            blocking_and_smol: Blocking, Smol;
            blocking_and_blocking: Blocking, Blocking;
        }
    };
    ($hold:ident $($test:ident: $one:ident, $other:ident;)*) => {$(
        #[test]
        fn $test() {
            $hold::<$crate::runtimes::$one, $crate::runtimes::$other>();
        }
    )*};
}

pub(crate) use all_pairs;
