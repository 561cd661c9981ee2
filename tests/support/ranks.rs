//! Simulations whose places are ranked at once, and what was ranked.

use gigawatt::cost::{Batch, Cpu, Evaluator, Ranking};
use gigawatt::history::{History, Plan};
use gigawatt::policy::{Ranks, When};
use gigawatt::simulation::{Control, simulate};
use std::sync::{Arc, Mutex};

/// An evaluator that counts, and may spoil what it ranked.
#[derive(Debug)]
pub(crate) struct Watched<E> {
    inner: E,
    spoil: fn(&mut Ranking),
    pub(crate) batches: u64,
    pub(crate) queries: u64,
}

impl<E: Evaluator> Evaluator for Watched<E> {
    fn rank(&mut self, batch: &Batch<'_>, k: usize, out: &mut Ranking) {
        self.inner.rank(batch, k, out);
        (self.spoil)(out);
        self.batches += 1;
        self.queries += batch.queries.len() as u64;
    }
}

impl<E> Watched<E> {
    /// What ranks.
    pub(crate) const fn inner(&self) -> &E {
        &self.inner
    }
}

/// Class by class.
pub(crate) fn one_by_one(plan: &Plan) -> History {
    let ranks = Ranks { when: When::Never, ..Ranks::default() };
    simulate(plan.clone(), &mut Control { ranks, ..Control::default() })
}

/// Whatever can be ranked at once is, by this evaluator, `k` candidates each; and how many queries that were.
pub(crate) fn ranked_by<E: Evaluator + Send + 'static>(
    plan: &Plan,
    evaluator: &Arc<Mutex<Watched<E>>>,
    k: usize,
) -> History {
    let ranks =
        Ranks { evaluator: Arc::<Mutex<Watched<E>>>::clone(evaluator), longest: k, when: When::Always };
    simulate(plan.clone(), &mut Control { ranks, ..Control::default() })
}

/// An evaluator that is watched.
pub(crate) fn watched<E: Evaluator>(inner: E, spoil: fn(&mut Ranking)) -> Arc<Mutex<Watched<E>>> {
    Arc::new(Mutex::new(Watched { inner, spoil, batches: 0, queries: 0 }))
}

/// The processor, as it is.
pub(crate) fn processor() -> Arc<Mutex<Watched<Cpu>>> {
    watched(Cpu::default(), |_| ())
}
