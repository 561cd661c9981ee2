//! KAI: the queue that holds the least of its fair share goes first.

use super::turns::{Claim, Turns};
use super::{ListedOrder, OrderKey};
use std::cmp::Reverse;

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: "saturation",
    about: "queues take turns: from the top of the tree down the one that holds the least of its fair share, which is what it \
            asks for of its `nominal` GPUs and, by `weight`, of what others leave; in a queue the highest priority first, then the oldest",
    source: "KAI Scheduler, fair share of queues, checked against 0.17",
    options: &[],
    rule: OrderKey::Turns(Turns {
        had: |had, (queue, _), _| had.of_its_part(queue),
        divide: Some(fair_shares),
    }),
};

/// What is handed out at once where it does not come out even: a GPU.
const UNIT: u64 = 1000;

/// By queue: its fair share of what there is, thousandths of GPUs.
///
/// Each gets what it wants of its own, whether there is so much or not. What is left is divided, those of a higher priority
/// first: in rounds, by weight among those that want more, each gets what it still wants, or else its part in whole GPUs;
/// as long as somebody got all that it wanted there is another round. GPUs that are left then go one by one to those whose
/// parts were cut off, the most first.
///
/// # Complexity
/// O(|queues|²) time at worst, where every round satisfies one.
///
/// ```
/// use gigawatt::policy::order::saturation::fair_shares;
/// use gigawatt::policy::order::turns::Claim;
/// let claim = |weight_milli| Claim { own: 2_000, weight_milli, request: 10_000, ..Claim::default() };
/// // Of 7 GPUs that are left one is to get 1.4, and the other 5.6.
/// assert_eq!(fair_shares(11_000, &[claim(1_000), claim(4_000)]), [3_000, 8_000]);
/// ```
#[must_use]
pub fn fair_shares(there: u64, claims: &[Claim]) -> Vec<u64> {
    let mut shares: Vec<u64> = claims.iter().map(|claim| claim.own.min(claim.wanted())).collect();
    let mut left = there.saturating_sub(shares.iter().sum());
    // By queue: the fraction of a GPU that was cut off, out of all weights of the round; 0 of 1 where none was.
    let mut cut: Vec<(u128, u128)> = vec![(0, 1); claims.len()];
    let mut priorities: Vec<Reverse<i32>> = claims.iter().map(|claim| Reverse(claim.priority)).collect();
    priorities.sort_unstable();
    priorities.dedup();
    for Reverse(priority) in &priorities {
        let of_priority: Vec<usize> =
            (0..claims.len()).filter(|own| claims[*own].priority == *priority).collect();
        while divide_by_weight(claims, &of_priority, (&mut shares, &mut cut), &mut left) {}
    }
    for Reverse(priority) in priorities {
        let mut rest: Vec<usize> =
            (0..claims.len()).filter(|own| claims[*own].priority == priority && cut[*own].0 > 0).collect();
        // Of equal fractions the first queue.
        rest.sort_by(|one, other| {
            let ((one, of_one), (other, of_other)) = (cut[*one], cut[*other]);
            (other * of_one).cmp(&(one * of_other))
        });
        for own in rest {
            let more = UNIT.min(left).min(claims[own].wanted() - shares[own]);
            shares[own] += more;
            left -= more;
        }
    }
    shares
}

/// A round among queues; returns whether there is to be another.
fn divide_by_weight(
    claims: &[Claim],
    queues: &[usize],
    (shares, cut): (&mut [u64], &mut [(u128, u128)]),
    left: &mut u64,
) -> bool {
    let wants = |own: &usize, shares: &[u64]| claims[*own].wanted() - shares[*own];
    let open: Vec<usize> = (queues.iter().copied())
        .filter(|own| claims[*own].weight_milli > 0 && wants(own, shares) > 0)
        .collect();
    let weights: u128 = open.iter().map(|own| u128::from(claims[*own].weight_milli)).sum();
    let (there, mut is_any_satisfied) = (u128::from(*left), false);
    if there == 0 {
        return false;
    }
    for own in open {
        let part = there * u128::from(claims[own].weight_milli);
        let wanted = wants(&own, shares);
        let got = if u128::from(wanted) * weights <= part {
            (is_any_satisfied, cut[own]) = (true, (0, 1));
            wanted
        } else {
            let unit = u128::from(UNIT) * weights;
            cut[own] = (part % unit, weights);
            u64::try_from(part / unit).expect("no more than there is") * UNIT
        };
        shares[own] += got;
        *left -= got;
    }
    is_any_satisfied
}
