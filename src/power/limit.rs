use super::tree::Domain;
use crate::cluster::Cluster;
use crate::units::{Time, Watts};

/// The most that a domain may draw, from each instant on: its own cap and, for a feed, the curtailments that hold.
///
/// ```
/// use gigawatt::cluster::{Cluster, Curtailment};
/// use gigawatt::power::{Domain, limits};
/// use gigawatt::units::{Seconds, Time, Watts};
/// let mut cluster = Cluster::single_feed();
/// cluster.feeds[0].cap = Some(Watts(900));
/// let (from, until, notice) = (Time(100), Time(200), Seconds(0));
/// cluster.curtailments.push(Curtailment { feed: 0, cap: Watts(700), from, until, notice });
/// let some = |watts| Some(Watts(watts));
/// let expected = [(Time(0), some(900)), (Time(100), some(700)), (Time(200), some(900))];
/// assert_eq!(limits(&cluster, Domain::Feed(0)), expected);
/// ```
#[must_use]
pub fn limits(cluster: &Cluster, domain: Domain) -> Vec<(Time, Option<Watts>)> {
    let own = own_cap(cluster, domain);
    let taken = cluster.curtailments.iter().filter(|taken| domain == Domain::Feed(taken.feed));
    let mut times = vec![Time::ZERO];
    times.extend(
        taken.clone().flat_map(|taken| [taken.from, taken.until]).filter(|time| *time != Time::NEVER),
    );
    times.sort_unstable();
    times.dedup();
    let limit = |now: Time| {
        let taken = taken.clone().filter(|taken| taken.is_active(now)).map(|taken| taken.cap);
        (now, own.into_iter().chain(taken).min())
    };
    times.into_iter().map(limit).collect()
}

/// The cap of a domain's own, curtailments aside.
#[must_use]
pub fn own_cap(cluster: &Cluster, domain: Domain) -> Option<Watts> {
    match domain {
        Domain::All => None,
        Domain::Site(site) => cluster.sites[site as usize].cap,
        Domain::Feed(feed) => cluster.feeds[feed as usize].cap,
        Domain::Rack(rack) => cluster.racks[rack as usize].cap,
    }
}
