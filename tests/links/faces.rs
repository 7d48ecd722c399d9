//! The faces of calls and failures: dotted names, `?` in handlers, texts, names that are missing.

use crate::{
    Client, Runtime, Server, Tokio, client, conversations, new_client, new_server, server, soon,
    spawn,
};
use pseud::{CallError, CallRefused, Exception, Fault, Options, Request, SetupError};
use std::error::Error;
use std::io;

conversations! { Tokio:
    dotted_names_are_called_part_by_part,
    services_of_whoever_called_and_of_peers_by_name,
    a_call_can_be_kept_and_spawned,
    what_is_missing_from_a_name_is_refused_at_once,
    a_question_mark_in_a_handler_is_the_exception_that_python_has,
    the_causes_of_a_boxed_error_leave_only_where_tracebacks_do,
    what_a_nested_call_raised_passes_on_and_a_refusal_of_it_does_not,
    names_that_nobody_can_have_are_refused_at_birth,
}

async fn dotted_names_are_called_part_by_part<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    for name in ["string.lower", "this.is.a.name"] {
        let echo = |request: Request| {
            let (text,): (String,) = request.args()?;
            Ok::<_, Fault>(format!("{}: {}", request.name(), text.to_lowercase()))
        };
        server.register_sync(name, echo).unwrap();
    }
    let client = client::<R>(&endpoint);
    let string = client.service("string");
    let told = soon(string.call::<String, _>("lower", ("ABC",))).await.unwrap();
    assert_eq!(told, "string.lower: abc");
    for service in [
        client.service("this").service("is").service("a"),
        client.service("this.is").service(String::from("a")),
    ] {
        assert_eq!(service.name(), "this.is.a");
        let told: String = soon(service.clone().call("name", ("X",))).await.unwrap();
        assert_eq!(told, "this.is.a.name: x");
    }
    let error = soon(string.call::<String, _>("upper", ("x",))).await.unwrap_err();
    assert!(error.is_service_not_found() && error.is_retry_safe(), "{error:?}");
}

async fn services_of_whoever_called_and_of_peers_by_name<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    server
        .register("ask", |request: Request| async move {
            let colour: String = request.caller().service("lamp").call("colour", ()).await?;
            Ok::<_, Fault>(colour)
        })
        .unwrap();
    let client = new_client::<R>(Options::client("service").identity("desk"));
    client.register_sync("lamp.colour", |_| Ok::<_, Fault>("red")).unwrap();
    client.connect(&endpoint).unwrap();
    assert_eq!(soon(client.call::<String, _>("ask", ())).await.unwrap(), "red");
    let lamp = server.peer("desk").service("lamp");
    assert_eq!(soon(lamp.call::<String, _>("colour", ())).await.unwrap(), "red");
}

/// A call outlives the name that it was made with.
async fn a_call_can_be_kept_and_spawned<R: Runtime>() {
    let (_server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let client = client::<R>(&endpoint);
    let call = client.call::<String, _>(format!("hel{}", "lo"), ("Charly",));
    assert_eq!(soon(spawn(call)).await.unwrap().unwrap(), "Hello Charly");
}

async fn what_is_missing_from_a_name_is_refused_at_once<R: Runtime>() {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    let client = client::<R>(&endpoint);
    let refused = async |call: pseud::Call<(), ()>| match soon(call).await {
        Err(CallError::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(client.call("", ())).await, CallRefused::NameEmpty);
    assert_eq!(refused(client.service("").call("hello", ())).await, CallRefused::NameEmpty);
    assert_eq!(refused(client.service("string").call("", ())).await, CallRefused::NameEmpty);
    assert_eq!(refused(server.peer("").call("hello", ())).await, CallRefused::PeerNameEmpty);
    let long = refused(client.service("n".repeat(200)).call("n".repeat(55), ())).await;
    assert_eq!(long, CallRefused::NameTooLong { size: 256, max: 255 });
    assert_eq!((client.stats().calls_made, server.stats().calls_made), (0, 0));
}

/// A server with handlers that fail by `?`, and a client of it.
async fn failing<R: Runtime>(options: Options) -> (Server<R>, Client<R>) {
    let server = new_server::<R>(options);
    let endpoint = crate::serve(&server, "tcp://127.0.0.1:0").await;
    server
        .register_sync("parse", |request| {
            let (text,): (&str,) = request.args()?;
            Ok::<_, Fault>(text.parse::<i32>()?)
        })
        .unwrap();
    server
        .register_sync("read", |_| Ok::<_, Fault>(std::fs::read_to_string("/no/such/file")?))
        .unwrap();
    server
        .register_sync("boxed", |_| {
            let inner = io::Error::other("the disk of /srv/secret");
            Err::<(), Box<dyn Error + Send + Sync>>(Box::new(Wrapped(inner)))
        })
        .unwrap();
    server.register("nested", nested).unwrap();
    (server, client::<R>(&endpoint))
}

#[derive(Debug)]
struct Wrapped(io::Error);

impl std::fmt::Display for Wrapped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cannot load")
    }
}

impl Error for Wrapped {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// Calls its caller back under the name that it is given.
async fn nested(request: Request) -> Result<(), Fault> {
    let (name,): (&str,) = request.args()?;
    Ok(request.caller().call(name, ()).await?)
}

async fn fault<R: Runtime>(client: &Client<R>, name: &str, args: impl serde::Serialize) -> Fault {
    match soon(client.call::<(), _>(name, args)).await {
        Err(CallError::Fault(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

async fn a_question_mark_in_a_handler_is_the_exception_that_python_has<R: Runtime>() {
    let (_server, client) = failing::<R>(Options::server("service")).await;
    let told = fault(&client, "parse", ("12a",)).await;
    assert_eq!(told, Fault::new(Exception::ValueError, "invalid digit found in string"));
    let told = fault(&client, "read", ()).await;
    let text = "No such file or directory (os error 2)";
    assert_eq!(told, Fault::new(Exception::OSError, text));
}

async fn the_causes_of_a_boxed_error_leave_only_where_tracebacks_do<R: Runtime>() {
    for expose in [false, true] {
        let options = Options::server("service").expose_traceback(expose);
        let (_server, client) = failing::<R>(options).await;
        let traceback = if expose { "caused by: the disk of /srv/secret" } else { "" };
        let expected = Fault::new(Exception::Exception, "cannot load").with_traceback(traceback);
        assert_eq!(fault(&client, "boxed", ()).await, expected);
    }
}

async fn what_a_nested_call_raised_passes_on_and_a_refusal_of_it_does_not<R: Runtime>() {
    let (_server, client) = failing::<R>(Options::server("service")).await;
    client.register_sync("sold_out", |_| Err::<(), _>(Fault::new("SoldOut", "no seats"))).unwrap();
    assert_eq!(fault(&client, "nested", ("sold_out",)).await, Fault::new("SoldOut", "no seats"));
    let told = fault(&client, "nested", ("no.such.thing",)).await;
    assert_eq!(told.exception(), Some(Exception::RuntimeError));
    assert!(told.message.contains("nothing of that name"), "{told}");
}

async fn names_that_nobody_can_have_are_refused_at_birth<R: Runtime>() {
    let long = "n".repeat(256);
    for (name, why) in [("", "name"), ("\0name", "zero"), (long.as_str(), "255")] {
        for error in [Server::<R>::new(name).unwrap_err(), Client::<R>::new(name).unwrap_err()] {
            assert!(matches!(error, SetupError::Identity(_)), "{error:?}");
            assert!(error.to_string().contains(why), "{error}");
            assert_eq!(io::Error::from(error).kind(), io::ErrorKind::InvalidInput);
        }
    }
    assert!(Server::<R>::with_options(Options::default()).is_err());
    // A client of nobody: it is called, or calls whom it names.
    let client = new_client::<R>(Options::default());
    let error = soon(client.call::<(), _>("hello", ())).await.unwrap_err();
    assert!(matches!(error, CallError::Refused(CallRefused::NoServer)), "{error}");
}
