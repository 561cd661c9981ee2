//! Traces of requests to models: real ones, and what commands say of them.

use super::archives::archive;
use super::commands::{folder, run};
use gigawatt::metrics::DemandProfile;
use gigawatt::trace::{Options, read_requests};

#[test]
fn archives_of_requests_are_as_their_authors_say() {
    let folder = "traces/";
    for (path, format, requests, variation, (input, cached, output)) in [
        (
            "azure_llm2023/AzureLLMInferenceTrace_conv.csv.zst",
            "azure-llm",
            19_366,
            1.0942,
            (22_361_870, 0, 4_088_665),
        ),
        (
            "mooncake/conversation_trace.jsonl.zst",
            "mooncake",
            12_031,
            3.0337,
            (144_793_823, 54_098_411, 4_122_048),
        ),
    ] {
        let Some(path) = archive(&format!("{folder}{path}")) else { return };
        let read = read_requests(&path, None, &Options::default()).unwrap();
        let profile = DemandProfile::of(&read.demand, 60);
        assert_eq!((read.format, profile.requests), (format, requests), "{format}");
        assert!((profile.gap_variation - variation).abs() < 0.0001, "{format}: {}", profile.gap_variation);
        let sums = (profile.input.sum, profile.cached.sum, profile.output.sum);
        assert_eq!(sums, (input, cached, output), "{format}: tokens");
    }
}

#[test]
fn requests_are_inspected_and_never_simulated() {
    let folder = folder();
    let folder = folder.path();
    std::fs::write(folder.join("asked.csv"), include_str!("../../workloads/requests-azure-llm.csv")).unwrap();
    let (code, said, told) = run(folder, "inspect asked.csv");
    assert_eq!(code, Some(0), "{told}");
    for part in
        ["5 requests · within 3s · 1.67 a second", "Tokens", "input", "5,770", "from 2023-11-16 18:15"]
    {
        assert!(said.contains(part), "{part} in {said}");
    }
    for arguments in [
        "simulate --workload asked.csv --cluster 1x8",
        "simulate asked.csv",
        "inspect --cluster 1x8 asked.csv",
    ] {
        let (code, _, told) = run(folder, arguments);
        assert_eq!(code, Some(2), "{arguments}: {told}");
        assert!(told.contains("requests to models"), "{arguments}: {told}");
    }
}
