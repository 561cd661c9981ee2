//! The few messages of a Perfetto trace that a run needs, by their numbers in `perfetto_trace.proto`
//! (<https://perfetto.dev/docs/reference/trace-packet-proto>).

/// A trace: packets one after the other, so that traces joined are a trace.
#[derive(Clone, PartialEq, ::prost::Message)]
pub(super) struct Trace {
    #[prost(message, repeated, tag = "1")]
    pub(super) packet: Vec<Packet>,
}

#[derive(Clone, PartialEq, ::prost::Message)]
pub(super) struct Packet {
    /// Nanoseconds.
    #[prost(uint64, optional, tag = "8")]
    pub(super) timestamp: Option<u64>,
    /// Who writes.
    #[prost(uint32, optional, tag = "10")]
    pub(super) sequence: Option<u32>,
    #[prost(message, optional, tag = "11")]
    pub(super) event: Option<Event>,
    #[prost(message, optional, tag = "60")]
    pub(super) track: Option<Track>,
}

#[derive(Clone, PartialEq, ::prost::Message)]
pub(super) struct Event {
    #[prost(message, repeated, tag = "4")]
    pub(super) arguments: Vec<Argument>,
    /// See [`BEGIN`], [`END`], [`INSTANT`], [`COUNTER`].
    #[prost(int32, optional, tag = "9")]
    pub(super) kind: Option<i32>,
    #[prost(uint64, optional, tag = "11")]
    pub(super) track: Option<u64>,
    #[prost(string, repeated, tag = "22")]
    pub(super) categories: Vec<String>,
    #[prost(string, optional, tag = "23")]
    pub(super) name: Option<String>,
    #[prost(double, optional, tag = "44")]
    pub(super) value: Option<f64>,
    /// Arrows that go on from here.
    #[prost(fixed64, repeated, tag = "47")]
    pub(super) flows: Vec<u64>,
    /// Arrows that end here.
    #[prost(fixed64, repeated, tag = "48")]
    pub(super) ending_flows: Vec<u64>,
}

/// A slice begins.
pub(super) const BEGIN: i32 = 1;
/// The last slice of the track ends.
pub(super) const END: i32 = 2;
/// Something happens.
pub(super) const INSTANT: i32 = 3;
/// A counter has a value.
pub(super) const COUNTER: i32 = 4;

#[derive(Clone, PartialEq, ::prost::Message)]
pub(super) struct Argument {
    #[prost(uint64, optional, tag = "3")]
    pub(super) count: Option<u64>,
    #[prost(double, optional, tag = "5")]
    pub(super) real: Option<f64>,
    #[prost(string, optional, tag = "6")]
    pub(super) text: Option<String>,
    #[prost(string, optional, tag = "10")]
    pub(super) name: Option<String>,
}

#[derive(Clone, PartialEq, ::prost::Message)]
pub(super) struct Track {
    #[prost(uint64, optional, tag = "1")]
    pub(super) uuid: Option<u64>,
    #[prost(string, optional, tag = "2")]
    pub(super) name: Option<String>,
    #[prost(message, optional, tag = "3")]
    pub(super) process: Option<Process>,
    #[prost(message, optional, tag = "4")]
    pub(super) thread: Option<Thread>,
    #[prost(uint64, optional, tag = "5")]
    pub(super) parent: Option<u64>,
    #[prost(message, optional, tag = "8")]
    pub(super) counter: Option<Counter>,
}

#[derive(Clone, PartialEq, ::prost::Message)]
pub(super) struct Process {
    #[prost(int32, optional, tag = "1")]
    pub(super) pid: Option<i32>,
    #[prost(string, optional, tag = "6")]
    pub(super) name: Option<String>,
}

#[derive(Clone, PartialEq, ::prost::Message)]
pub(super) struct Thread {
    #[prost(int32, optional, tag = "1")]
    pub(super) pid: Option<i32>,
    #[prost(int64, optional, tag = "2")]
    pub(super) tid: Option<i64>,
    #[prost(string, optional, tag = "5")]
    pub(super) name: Option<String>,
}

#[derive(Clone, PartialEq, ::prost::Message)]
pub(super) struct Counter {
    #[prost(string, optional, tag = "6")]
    pub(super) unit: Option<String>,
}
