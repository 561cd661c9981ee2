//! Kueue's flavours as platforms.

use super::{check, imported};
use gigawatt::scenario::import::Options;

/// Two flavours of a platform each, in a cohort of which one queue covers but one.
const FLAVOURS: &str = "
kind: ResourceFlavor
apiVersion: kueue.x-k8s.io/v1beta2
metadata: { name: new }
spec: { nodeLabels: { nvidia.com/gpu.product: NVIDIA-H200 } }
---
kind: ResourceFlavor
apiVersion: kueue.x-k8s.io/v1beta2
metadata: { name: old-h100 }
---
kind: ClusterQueue
apiVersion: kueue.x-k8s.io/v1beta2
metadata: { name: train }
spec:
  cohortName: cloud
  resourceGroups: [{ coveredResources: [nvidia.com/gpu], flavors: [
    { name: new, resources: [{ name: nvidia.com/gpu, nominalQuota: 16, borrowingLimit: 8 }] },
    { name: old-h100, resources: [{ name: nvidia.com/gpu, nominalQuota: 32, lendingLimit: 16 }] }] }]
---
kind: ClusterQueue
apiVersion: kueue.x-k8s.io/v1beta2
metadata: { name: serve }
spec:
  cohortName: cloud
  resourceGroups: [{ coveredResources: [nvidia.com/gpu], flavors: [
    { name: old-h100, resources: [{ name: nvidia.com/gpu, nominalQuota: 8 }] }] }]
";

#[test]
fn flavours_of_a_platform_each_are_quotas_by_platform() {
    let expected = [
        "nominal = { h200 = 16, h100 = 32 }",
        "borrow = { h200 = 8 }",
        "lend = { h100 = 16 }",
        "nominal = { h100 = 8 }",
        "limit = { h200 = 0 }",
    ];
    check("kueue.yaml", FLAVOURS, &Options::default(), &expected, &[]);
    // Where nothing tells their platforms apart they are one quota.
    let alike = FLAVOURS.replace("NVIDIA-H200", "NVIDIA-H100");
    let imported = imported("kueue.yaml", &alike, &Options::default());
    assert!(
        imported.text.contains("nominal = 48\n") && !imported.text.contains("nominal = {"),
        "{}",
        imported.text
    );
    assert!(imported.assumed.iter().any(|told| told.contains("of any flavour")), "{:?}", imported.assumed);
}
