use super::World;
use crate::history::Plan;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Plans in use, each built by the first world that needs it and dropped with the last of those next to it.
#[derive(Debug)]
pub(super) struct Plans<E> {
    /// By the first of the worlds in a row that share it.
    open: Mutex<BTreeMap<usize, Open<E>>>,
}

type Built<E> = Arc<OnceLock<Result<Plan, E>>>;

#[derive(Debug)]
struct Open<E> {
    plan: Built<E>,
    /// Worlds that still have to take it.
    left: usize,
}

impl<E> Default for Plans<E> {
    fn default() -> Self {
        Self { open: Mutex::default() }
    }
}

impl<E: Clone> Plans<E> {
    /// The plan of world `index`, which is then its own: the last of those who share it gets it without a copy.
    pub(super) fn take(
        &self,
        worlds: &[World],
        index: usize,
        build: impl Fn(usize) -> Result<Plan, E>,
    ) -> Result<Plan, E> {
        let own = worlds[index].plan;
        let first = index - worlds[..index].iter().rev().take_while(|world| world.plan == own).count();
        let shared = self.opened(worlds, first);
        shared.get_or_init(|| build(own));
        self.close(first);
        match Arc::try_unwrap(shared) {
            Ok(alone) => alone.into_inner().unwrap_or_else(|| build(own)),
            Err(shared) => shared.get().cloned().unwrap_or_else(|| build(own)),
        }
    }

    fn opened(&self, worlds: &[World], first: usize) -> Built<E> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = open.entry(first).or_insert_with(|| {
            let own = worlds[first].plan;
            let left = worlds[first..].iter().take_while(|world| world.plan == own).count();
            Open { plan: Built::default(), left }
        });
        Arc::clone(&entry.plan)
    }

    /// One world less needs the plan.
    fn close(&self, first: usize) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = open.get_mut(&first) {
            entry.left -= 1;
            if entry.left == 0 {
                open.remove(&first);
            }
        }
    }
}
