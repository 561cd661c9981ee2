//! What there is to show for a reason of waiting: a sentence, and the same for machines.

use super::words::{clock, described, gpus, name};
use crate::cluster::Level;
use crate::experiment::{Evidence, Holder, Refusing, Stretch};
use crate::history::{History, WaitReason};
use crate::metrics::Room;
use crate::report::number::{counted, grouped};
use crate::state::quota::Bound;
use crate::units::{Gpus, Time};
use crate::workload::Request;
use serde_json::{Value, json};

/// Why, in a sentence for each platform on which quotas say so.
pub(in crate::report) fn evidence_of(history: &History, job: u32, stretch: &Stretch) -> Vec<String> {
    let reason = stretch.waited.reason;
    let all = std::iter::once(&stretch.evidence).chain(&stretch.elsewhere);
    all.map(|evidence| told(history, job, reason, evidence)).collect()
}

/// Why, in a sentence.
fn told(history: &History, job: u32, reason: WaitReason, evidence: &Evidence) -> String {
    let request = history.plan.workload.request_of(job);
    match evidence {
        Evidence::Room { at, room, domain, holders } => {
            let told = room_told(reason, (room, domain), request, &clock(history, *at));
            format!("{told}{}", held_by(history, holders))
        }
        Evidence::Ceiling { whose, ceiling_milli, at, held_milli, holders } => {
            let held = match held_milli == ceiling_milli {
                true => format!("{whose} held all of its {}", gpus(*ceiling_milli)),
                false => format!(
                    "{whose} held at least {} of its {}, at {}",
                    gpus(*held_milli),
                    gpus(*ceiling_milli),
                    clock(history, *at)
                ),
            };
            let asked = gpus(u64::from(request.gpus().milli()));
            format!("{held}; it asks for {asked}{}", held_by(history, holders))
        }
        Evidence::Licence { name: licence, asked, count, at, held, holders } => {
            let held = match *held == u64::from(*count) {
                true => format!("all {count} of licence {licence} were held"),
                false => format!(
                    "at least {held} of {count} of licence {licence} were held, at {}",
                    clock(history, *at)
                ),
            };
            let of = |milli: u64| (milli / 1000).to_string();
            format!("{held}; it asks for {asked}{}", held_of(history, holders, of))
        }
        Evidence::Queue { at, room_milli, refusing, holders, .. } => {
            let room = match room_milli {
                0 => format!("queue {} had no room left", refusing.queue),
                _ => format!(
                    "queue {} had room for {}, at {}",
                    refusing.queue,
                    gpus(*room_milli),
                    clock(history, *at)
                ),
            };
            let asked = gpus(u64::from(request.gpus().milli()));
            let why = refusing_told(refusing);
            format!("{room}: {why}; it asks for {asked}{}", held_by(history, holders))
        }
        Evidence::After { job, finish, delay } => {
            let then = match (*finish == Time::NEVER, delay.0) {
                (true, _) => "is not done".to_owned(),
                (false, 0) => format!("was done at {}", clock(history, *finish)),
                (false, _) => {
                    format!("was done at {}, and it may begin {delay} later", clock(history, *finish))
                }
            };
            format!("{} {then}", described(history, *job))
        }
        Evidence::Plain => match reason {
            WaitReason::Held => "held back on purpose, or no pass had seen it yet".to_owned(),
            _ => String::new(),
        },
    }
}

/// Which queue refuses, and what of it.
fn refusing_told(refusing: &Refusing) -> String {
    let Refusing { queue, name, platform, bound, used, most } = refusing;
    let of = platform.as_ref().map(|platform| format!(" of {platform}")).unwrap_or_default();
    let whose = if name == queue { "it" } else { name };
    if *bound == Bound::Jobs {
        return format!("{whose} ran {used} of at most {}", counted(*most, "job"));
    }
    let (used, most) = (gpus(*used), gpus(*most));
    match bound {
        Bound::Limit | Bound::Jobs => format!("{whose} held {used}{of} of at most {most}"),
        Bound::Borrowing => format!("{whose} had borrowed {used}{of} of at most {most}"),
        Bound::Pool => format!("{used}{of} of the {most} of {name} were taken"),
    }
}

/// An amount of what refuses, for machines: jobs, or GPUs.
fn of_bound(refusing: &Refusing, amount: u64) -> Value {
    match refusing.bound {
        Bound::Jobs => json!(amount),
        _ => json!(Gpus::from_milli(u32::try_from(amount).unwrap_or(u32::MAX)).as_f64()),
    }
}

/// What was free, as far as it matters for the reason.
fn room_told(
    reason: WaitReason,
    (room, domain): (&Room, &Option<(String, u64)>),
    request: &Request,
    at: &str,
) -> String {
    let asked = request.gpus();
    let free = match room.free_milli {
        0 if room.gpus == 1 => "the only GPU where it may run was not free".to_owned(),
        0 => format!("none of {} GPUs was free where it may run", grouped(room.gpus)),
        _ => format!(
            "at most {} of {} GPUs were free where it may run, at {at}",
            room.free(),
            grouped(room.gpus)
        ),
    };
    match reason {
        WaitReason::Capacity => format!("{free}; it asks for {asked}"),
        WaitReason::Shape => {
            let pieces: Vec<String> = room.pieces.iter().take(8).map(u32::to_string).collect();
            let more = if room.pieces.len() > 8 { ", …" } else { "" };
            let pieces = if pieces.is_empty() {
                "no whole one".to_owned()
            } else {
                format!("in pieces of {}{more}", pieces.join(", "))
            };
            let (name, most) = match domain {
                Some((level, most)) => (level.as_str(), *most),
                None => (Level::RACK, room.most_in_a_rack.into()),
            };
            format!("{free}, {pieces}; no {name} had more than {most}")
        }
        WaitReason::Power => format!("{free}; a cap on power left no headroom for {asked}"),
        _ => format!("{free}; others came first, or it would have delayed a reservation"),
    }
}

fn held_by(history: &History, holders: &[Holder]) -> String {
    held_of(history, holders, gpus)
}

/// Who holds how much of something, in words of its own.
fn held_of(history: &History, holders: &[Holder], amount: impl Fn(u64) -> String) -> String {
    let told = |holder: &Holder| {
        let until =
            if holder.until == Time::NEVER { "the end".to_owned() } else { clock(history, holder.until) };
        format!("{} {} until {until}", name(history, holder.job), amount(holder.milli))
    };
    let named: Vec<String> = holders.iter().take(2).map(told).collect();
    if named.is_empty() { String::new() } else { format!("; held by {}", named.join(", ")) }
}

/// The same for machines.
pub(super) fn evidence_json(history: &History, evidence: &Evidence) -> Value {
    let gpus = |milli: u64| Gpus::from_milli(u32::try_from(milli).unwrap_or(u32::MAX)).as_f64();
    let known = |time: Time| Some(time.0).filter(|_| time != Time::NEVER);
    let holders = |holders: &[Holder]| -> Vec<Value> {
        let one = |own: &Holder| {
            let (job, until) = (name(history, own.job), known(own.until));
            json!({ "job": job, "gpus": gpus(own.milli), "until": until })
        };
        holders.iter().map(one).collect()
    };
    match evidence {
        Evidence::Room { at, room, domain, holders: held } => json!({
            "at": at.0,
            "gpus": room.gpus,
            "free": gpus(room.free_milli),
            "pieces": room.pieces,
            "most_in_a_rack": room.most_in_a_rack,
            "level": domain.as_ref().map(|(level, _)| level),
            "most_in_a_domain": domain.as_ref().map(|(_, most)| most),
            "holders": holders(held),
        }),
        Evidence::Ceiling { whose, ceiling_milli, at, held_milli, holders: held } => json!({
            "at": at.0,
            "whose": whose,
            "ceiling": gpus(*ceiling_milli),
            "held": gpus(*held_milli),
            "holders": holders(held),
        }),
        Evidence::Licence { name: licence, asked, count, at, held, holders } => {
            let one = |own: &Holder| json!({ "job": name(history, own.job), "held": own.milli / 1000, "until": known(own.until) });
            json!({
                "at": at.0,
                "licence": licence,
                "asked": asked,
                "count": count,
                "held": held,
                "holders": holders.iter().map(one).collect::<Vec<Value>>(),
            })
        }
        Evidence::Queue { at, room_milli, refusing, holders: held } => json!({
            "at": at.0,
            "queue": refusing.queue,
            "room": gpus(*room_milli),
            "refusing": refusing.name,
            "platform": refusing.platform,
            "bound": match refusing.bound {
                Bound::Limit => "limit",
                Bound::Jobs => "jobs",
                Bound::Borrowing => "borrow",
                Bound::Pool => "nominal",
            },
            "used": of_bound(refusing, refusing.used),
            "most": of_bound(refusing, refusing.most),
            "holders": holders(held),
        }),
        Evidence::After { job, finish, delay } => {
            json!({ "after": name(history, *job), "finish_time": known(*finish), "delay": delay.0 })
        }
        Evidence::Plain => Value::Null,
    }
}

/// What that looks like.
pub(super) fn evidence_shape() -> Value {
    let holders = json!([{ "job": "string", "gpus": "number", "until": "integer?" }]);
    let room = json!({
        "at": "integer",
        "gpus": "integer",
        "free": "number",
        "pieces": ["integer"],
        "most_in_a_rack": "integer",
        "level": "string?",
        "most_in_a_domain": "integer?",
        "holders": holders.clone(),
    });
    let ceiling = json!({
        "at": "integer",
        "whose": "string",
        "ceiling": "number",
        "held": "number",
        "holders": holders.clone(),
    });
    let queue = json!({
        "at": "integer",
        "queue": "string",
        "room": "number",
        "refusing": "string",
        "platform": "string?",
        "bound": "string",
        "used": "number",
        "most": "number",
        "holders": holders,
    });
    let licence = json!({
        "at": "integer",
        "licence": "string",
        "asked": "integer",
        "count": "integer",
        "held": "integer",
        "holders": [{ "job": "string", "held": "integer", "until": "integer?" }],
    });
    let after = json!({ "after": "string", "finish_time": "integer?", "delay": "integer" });
    json!({ "|": [room, ceiling, queue, licence, after, "null"] })
}
