//! Volcano: the queue that holds the least of what it deserves goes first.

use super::turns::{Claim, Turns};
use super::{ListedOrder, OrderKey};

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: "proportion",
    about: "queues take turns: from the top of the tree down the one that holds the least of what it deserves, which is its part by \
            `weight` of all there is, no more than it asks for and no less than its `guarantee`; in a queue the highest priority first, then the oldest",
    source: "Volcano, proportion plugin, checked against 1.16-alpha",
    options: &[],
    rule: OrderKey::Turns(Turns { had: |had, (queue, _), _| had.of_its_part(queue), divide: Some(deserved) }),
};

/// By queue: what it deserves of what there is, thousandths of GPUs; what is less than one is cut off.
///
/// In rounds what remains is divided by weight among those that are not met yet. Each then has no more than its limit, than
/// what others keep leaves, and than it asks for, and no less than what it keeps itself; it is met when it has what it asks
/// for, or got no more. What it did not take remains, until nothing does or nobody takes anything.
///
/// # Complexity
/// O(|queues|²) time at worst, where every round meets one.
///
/// ```
/// use gigawatt::policy::order::proportion::deserved;
/// use gigawatt::policy::order::turns::Claim;
/// let claim = |weight_milli, request| Claim { weight_milli, request, ..Claim::default() };
/// let claims = [claim(1_000, 2_000), claim(1_000, 10_000), claim(2_000, 10_000)];
/// assert_eq!(deserved(12_000, &claims), [2_000, 3_333, 6_666]);
/// ```
#[must_use]
pub fn deserved(there: u64, claims: &[Claim]) -> Vec<u64> {
    let all_kept: u64 = claims.iter().map(|claim| claim.kept).sum();
    let most = |claim: &Claim| {
        let left_by_others = there.saturating_sub(all_kept - claim.kept);
        claim.limit.map_or(left_by_others, |limit| limit.min(left_by_others))
    };
    let mut parts = vec![0_u64; claims.len()];
    let mut met = vec![false; claims.len()];
    let mut left = there;
    while left > 0 {
        let open: Vec<usize> = (0..claims.len()).filter(|own| !met[*own]).collect();
        let weights: u128 = open.iter().map(|own| u128::from(claims[*own].weight_milli)).sum();
        let round = left;
        for own in open {
            let (claim, before) = (&claims[own], parts[own]);
            let part = (u128::from(round) * u128::from(claim.weight_milli)).checked_div(weights).unwrap_or(0);
            let part = before + u64::try_from(part).expect("no more than there is");
            met[own] = claim.request <= part.min(most(claim));
            parts[own] = part.min(most(claim)).min(claim.request).max(claim.kept);
            met[own] |= parts[own] == before;
            // What is kept may be more than there is.
            left = (left + before).saturating_sub(parts[own]);
        }
        if left == round {
            break;
        }
    }
    parts
}
