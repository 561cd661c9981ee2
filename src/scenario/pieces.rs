use super::placement;
use crate::error::Problem;
use crate::policy::part::Kind;
use crate::policy::text::segments;

/// One thing that `--policy` says.
pub(super) enum Piece<'t> {
    Preset(&'t str),
    /// A part by its place; an empty name leaves it.
    Part(Kind, &'t str),
    /// A part or an option by its name.
    Named(&'t str, &'t str),
}

/// What `--policy` says, those in their places first.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Box<Problem>> {
    let mut plain = Vec::new();
    let mut named = Vec::new();
    for segment in segments(text).map(str::trim) {
        match placement::key_of(segment) {
            Some((key, value)) => named.push(Piece::Named(key, value)),
            None => plain.push(segment),
        }
    }
    let mut pieces = match plain[..] {
        [only] if !only.is_empty() && !Kind::Order.knows(only) => vec![Piece::Preset(only)],
        _ if plain.len() > Kind::ALL.len() => {
            let problem = Problem::new(format!("`{text}` has more parts than a policy"));
            return Err(Box::new(problem.hint("order/backfill/placement, such as `sjf/easy/pack`")));
        }
        _ => plain.into_iter().zip(Kind::ALL).map(|(name, kind)| Piece::Part(kind, name)).collect(),
    };
    if named.is_empty() && pieces.iter().all(|piece| matches!(piece, Piece::Part(_, ""))) {
        let problem = Problem::new(format!("`{text}` names no policy"));
        return Err(Box::new(problem.hint("a preset such as `easy`, or parts such as `sjf/easy/pack`")));
    }
    let in_place = |kind: Kind| {
        pieces.iter().any(|piece| matches!(piece, Piece::Part(own, name) if *own == kind && !name.is_empty()))
    };
    let twice = named.iter().find_map(|piece| match piece {
        Piece::Named(key, _) => Kind::named(key).filter(|kind| in_place(*kind)),
        _ => None,
    });
    if let Some(kind) = twice {
        let problem = Problem::new(format!("`{text}` names two parts as {}", kind.name()));
        return Err(Box::new(
            problem.hint("a `/` that divides stands in parentheses, such as `order=(gpus / wait)`"),
        ));
    }
    pieces.append(&mut named);
    Ok(pieces)
}

/// What `--policy` says, as keys of `[policy]` with their values in TOML; no name is looked up.
///
/// ```
/// use gigawatt::scenario::policy_keys;
/// let keys = |text| policy_keys(text).unwrap().into_iter().map(|(key, value)| format!("{key} = {value}"));
/// assert!(keys("easy/reservations=2").eq(["preset = \"easy\"", "reservations = 2"]));
/// assert!(keys("sjf//pack/power=cap").eq(["order = \"sjf\"", "placement = \"pack\"", "power = \"cap\""]));
/// ```
///
/// # Errors
/// More parts than a policy has.
pub fn policy_keys(text: &str) -> Result<Vec<(String, String)>, Box<Problem>> {
    let mut keys: Vec<(String, String)> = Vec::new();
    for piece in pieces(text)? {
        let (key, value) = match piece {
            Piece::Preset(name) => ("preset", name),
            Piece::Part(kind, name) => (kind.name(), name),
            Piece::Named(key, value) => (key, value),
        };
        if !value.is_empty() {
            // Of two values the later one counts, as on the command line.
            keys.retain(|(known, _)| known != key);
            let number = value.parse::<i64>().map(|number| number.to_string());
            let quoted = || toml::Value::String(value.to_owned()).to_string();
            keys.push((key.to_owned(), number.unwrap_or_else(|_| quoted())));
        }
    }
    Ok(keys)
}
