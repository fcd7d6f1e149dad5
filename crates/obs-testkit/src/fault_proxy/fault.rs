//! What can be done to a connection.

use std::time::Duration;

/// What a [`FaultProxy`](super::FaultProxy) does with one connection, whatever number of requests it carries.
///
/// Over TLS all but [`Fault::AcceptAndHang`] and [`Fault::RefuseConnections`] begin after the handshake.
/// Where a fault answers by itself, it reads one whole HTTP/1.1 request first, so that the client meets the fault in the
/// answer and not while it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Passes everything through, both ways.
    None,
    /// Accepts, then neither reads nor answers nor closes; a body larger than the socket buffers is never sent whole.
    AcceptAndHang,
    /// Takes everything and never answers: the client has sent its body when its deadline passes.
    ReadAndHang,
    /// Resets the connection (RST, not FIN) as soon as the client has sent so many bytes, head included.
    ///
    /// Those bytes reach the upstream, so that it sees a request cut off. 0 resets at once: the client
    /// may meet it while it still connects.
    ResetAfter(usize),
    /// Resets the connection (RST, not FIN) as soon as the upstream has sent more than so many bytes.
    ///
    /// So many of them reach the client. 0 is the answer lost: the backend took the request and the client never knows.
    ResetAnswerAfter(usize),
    /// Passes answers through in pieces of at most `bytes` (0 counts as 1), one each `every`, the first at once.
    Throttle {
        /// The size of a piece.
        bytes: usize,
        /// The time from piece to piece.
        every: Duration,
    },
    /// Closes its sending side at once and goes on reading: the client can send all and meets the end of the stream
    /// where the answer should be.
    HalfClose,
    /// Reads the request, then closes: an early end of the stream.
    CloseBeforeAnswer,
    /// Answers with a line that is not HTTP, then closes.
    GarbageStatusLine,
    /// Answers a status line, then one header each `every`, without end.
    SlowHeaders {
        /// The time from header to header.
        every: Duration,
    },
    /// Answers 200 and a body that never ends, as fast as the client reads.
    EndlessBody,
    /// Answers 200, names the body gzip and sends bytes that are none.
    BadGzip,
    /// Does not listen: the system refuses the connection.
    ///
    /// Nobody sees a connection that was refused, so that in a script this stands until
    /// [`FaultProxy::set`](super::FaultProxy::set) ends it.
    RefuseConnections,
    /// Speaks TLS with a certificate of the known authority for another name; a client that accepts it is passed
    /// through.
    #[cfg(feature = "tls")]
    WrongName,
    /// Speaks TLS with a certificate for the right name of an authority that nobody knows; a client that accepts it is
    /// passed through.
    #[cfg(feature = "tls")]
    UntrustedAuthority,
}

impl Fault {
    /// The answer trickles in, one byte a second.
    pub const ONE_BYTE_A_SECOND: Self = Self::Throttle { bytes: 1, every: Duration::from_secs(1) };

    /// The backend takes the request, and the client never knows.
    pub const ANSWER_LOST: Self = Self::ResetAnswerAfter(0);
}
