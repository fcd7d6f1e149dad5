//! The collector between: it takes OTLP, makes of it what it holds itself, and sends that on.

use anyhow::Result;

use crate::e2e::Scene;
use crate::e2e::install::Program;
use crate::e2e::stage::free_ports;

const NAME: &str = "rotel";

/// A running collector.
#[derive(Debug)]
pub(super) struct Rotel {
    pub(super) http: u16,
    pub(super) grpc: u16,
}

impl Rotel {
    /// One that sends on to this port.
    pub(super) fn start(scene: &Scene, onward: u16) -> Result<Self> {
        let [http, grpc] = free_ports()?;
        let words = format!(
            "start --otlp-http-endpoint 127.0.0.1:{http} --otlp-grpc-endpoint 127.0.0.1:{grpc} --exporter otlp \
             --otlp-exporter-protocol http --otlp-exporter-endpoint http://127.0.0.1:{onward}"
        );
        let words: Vec<_> = words.split_whitespace().map(ToOwned::to_owned).collect();
        scene.stage.start(NAME, scene.shelf.path(Program::Rotel)?, &words, &[])?;
        // It has no address that says whether it is ready, so that open doors must do.
        let open = async |port: u16| tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok();
        scene.stage.ready(NAME, async || open(http).await && open(grpc).await)?;
        Ok(Self { http, grpc })
    }
}
