//! Which points of the axes a sweep has.

use super::Axis;
use crate::error::Problem;
use crate::random::{Purpose, Stream};
use sobol_burley::NUM_DIMENSIONS;
use sobol_burley::parts::{owen_scramble_rev, sobol_rev};

/// Which points of the axes a sweep has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Design {
    /// Every combination, the last axis fastest.
    Grid,
    /// So many, each value drawn on its own: evenly from a list or between two ends.
    Random {
        /// How many.
        points: u32,
        /// What they are drawn with.
        seed: u64,
    },
    /// So many, spread evenly along each axis on its own: every one of as many equal parts of it has one.
    ///
    /// M. D. McKay, R. J. Beckman, W. J. Conover, "A comparison of three methods for selecting values of input variables in
    /// the analysis of output from a computer code", Technometrics 21 (1979).
    Latin {
        /// How many.
        points: u32,
        /// What they are drawn with.
        seed: u64,
    },
    /// So many of a scrambled Sobol' sequence: of the first 2ᵏ, each of 2ᵏ equal parts of every axis has one, and so do most
    /// boxes of as many over two axes and more; further points fill the gaps that the first ones leave.
    ///
    /// I. M. Sobol', "On the distribution of points in a cube and the approximate evaluation of integrals", USSR Comput. Math. Math.
    /// Phys. 7 (1967), with the direction numbers of S. Joe, F. Y. Kuo, SIAM J. Sci. Comput. 30 (2008); every axis is scrambled on its own
    /// after A. B. Owen, 1995, by the hash of B. Burley, "Practical hash-based Owen scrambling", JCGT 9 (2020).
    Sobol {
        /// How many, at most [`Design::SOBOL_MAX`].
        points: u32,
        /// What they are scrambled with.
        seed: u64,
    },
}

impl Design {
    /// The most points of a Sobol' sequence.
    pub const SOBOL_MAX: u32 = 1 << 16;
}

/// The most points of a sweep.
const POINTS_MAX: usize = 10_000_000;

/// The points of a design: of each, a value an axis.
///
/// # Errors
/// An axis twice, one that a grid cannot have all values of, or too many points or axes.
pub fn points(axes: &[Axis], design: Design) -> Result<Vec<Vec<String>>, Box<Problem>> {
    for (place, axis) in axes.iter().enumerate() {
        if axes[..place].iter().any(|other| other.key == axis.key) {
            let problem = Problem::new(format!("`{}` is varied twice", axis.key));
            return Err(Box::new(problem.hint("name all of its values in one `--vary`")));
        }
        if design == Design::Grid && axis.is_distribution() {
            let problem = Problem::new(format!(
                "`{}`: values of a distribution are drawn, and a grid has all",
                axis.key
            ));
            let hint = "`gigawatt sweep --design sobol --points 128` draws them, as `random` and `lhs` do";
            return Err(Box::new(problem.hint(hint)));
        }
        if design == Design::Grid && !axis.has_steps() {
            let problem = Problem::new(format!("`{}`: a range of a grid needs a number of steps", axis.key));
            let hint = "such as `8..64:8`; `gigawatt sweep --design random --points 100` draws from it";
            return Err(Box::new(problem.hint(hint)));
        }
    }
    match design {
        Design::Grid => grid(axes),
        Design::Random { points, seed } => {
            let stream = Stream::new(seed, Purpose::Design);
            let point = |point: u32| {
                let value =
                    |(axis, place): (&Axis, u32)| axis.values.drawn(stream.draw(u64::from(point), place));
                axes.iter().zip(0..).map(value).collect()
            };
            Ok((0..points).map(point).collect())
        }
        Design::Latin { points, seed } => Ok(latin(axes, points, seed)),
        Design::Sobol { points, seed } => sobol(axes, points, seed),
    }
}

/// A coordinate of a point of the Sobol' sequence, in 2⁻³², its bits in reverse.
fn coordinate_rev(point: u32, axis: u32) -> u32 {
    sobol_rev(point.reverse_bits(), axis)
}

/// Of each axis a coordinate of its own, scrambled.
fn sobol(axes: &[Axis], points: u32, seed: u64) -> Result<Vec<Vec<String>>, Box<Problem>> {
    let too_many = |what: String| Box::new(Problem::new(what).hint("`--design lhs` takes any number"));
    if points > Design::SOBOL_MAX {
        return Err(too_many(format!("a Sobol' sequence has at most {} points", Design::SOBOL_MAX)));
    }
    if axes.len() > NUM_DIMENSIONS as usize {
        return Err(too_many(format!("a Sobol' sequence has at most {NUM_DIMENSIONS} axes")));
    }
    let stream = Stream::new(seed, Purpose::Design);
    let value = |point: u32, (axis, own): (u32, &Axis)| {
        let scrambled = owen_scramble_rev(coordinate_rev(point, axis), stream.draw(axis.into(), 0));
        own.values.drawn(scrambled.reverse_bits())
    };
    let point = |point: u32| (0..).zip(axes).map(|axis| value(point, axis)).collect();
    Ok((0..points).map(point).collect())
}

/// Of each axis a part a point, in an order of its own, and a place in it.
fn latin(axes: &[Axis], points: u32, seed: u64) -> Vec<Vec<String>> {
    let stream = Stream::new(seed, Purpose::Design);
    // Two draws a point and axis: its part is swapped with a later one's, and where it lies in its own.
    let parts = |axis: u32| {
        let mut parts: Vec<u32> = (0..points).collect();
        for place in 0..points {
            let other = place + stream.below(u64::from(place), 2 * axis, points - place);
            parts.swap(place as usize, other as usize);
        }
        parts
    };
    let orders: Vec<Vec<u32>> = axes.iter().zip(0..).map(|(_, axis)| parts(axis)).collect();
    let value = |point: u32, axis: u32| {
        let part = u64::from(orders[axis as usize][point as usize]);
        let within = u64::from(stream.draw(u64::from(point), 2 * axis + 1));
        let draw = ((part << 32) + within) / u64::from(points);
        axes[axis as usize].values.drawn(u32::try_from(draw).unwrap_or(u32::MAX))
    };
    let point = |point: u32| axes.iter().zip(0..).map(|(_, axis)| value(point, axis)).collect();
    (0..points).map(point).collect()
}

fn grid(axes: &[Axis]) -> Result<Vec<Vec<String>>, Box<Problem>> {
    let values: Vec<Vec<String>> = axes.iter().map(Axis::grid).collect();
    let count = values.iter().try_fold(1_usize, |count, values| count.checked_mul(values.len()));
    if count.is_none_or(|count| count > POINTS_MAX) {
        let problem = Problem::new(format!("more than {POINTS_MAX} points"));
        return Err(Box::new(problem.hint("`gigawatt sweep --design random --points N` draws some of them")));
    }
    let mut points = vec![Vec::new()];
    for values in &values {
        let longer = |point: &Vec<String>| -> Vec<Vec<String>> {
            values.iter().map(|value| point.iter().cloned().chain([value.clone()]).collect()).collect()
        };
        points = points.iter().flat_map(longer).collect();
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_begins_as_it_is_tabulated() {
        // The first eight of two dimensions as SciPy's `qmc.Sobol(2, scramble=False)` gives them, in the order of the Gray code.
        let known = [[0, 0], [4, 4], [6, 2], [2, 6], [3, 3], [7, 7], [5, 1], [1, 5]];
        for (place, known) in (0_u32..).zip(known) {
            let point = place ^ (place >> 1);
            let found = [0, 1].map(|axis| coordinate_rev(point, axis).reverse_bits() >> 29);
            assert_eq!(found, known, "eighths of point {place}");
        }
    }

    #[test]
    fn the_first_points_of_a_power_of_two_share_every_axis_evenly() {
        let axes: Vec<Axis> = (0..40).map(|axis| Axis::parse(&format!("a{axis}=0..63")).unwrap()).collect();
        for seed in [0, 7] {
            let found = points(&axes, Design::Sobol { points: 64, seed }).unwrap();
            for axis in 0..axes.len() {
                let mut values: Vec<u32> = found.iter().map(|point| point[axis].parse().unwrap()).collect();
                values.sort_unstable();
                assert_eq!(values, (0..64).collect::<Vec<u32>>(), "axis {axis} under seed {seed}");
            }
            // Of the first two, each of 64 boxes of 8 by 8 has one.
            let cell = |value: &str| value.parse::<u32>().unwrap() / 8;
            let mut cells: Vec<u32> =
                found.iter().map(|point| 8 * cell(&point[0]) + cell(&point[1])).collect();
            cells.sort_unstable();
            assert_eq!(cells, (0..64).collect::<Vec<u32>>(), "boxes under seed {seed}");
            let more = points(&axes, Design::Sobol { points: 65, seed }).unwrap();
            assert_eq!(more[..64], found, "more points do not change the first ones");
        }
        let drawn = |design| points(&axes[..2], design).unwrap();
        let random = drawn(Design::Random { points: 64, seed: 7 });
        let mut values: Vec<&String> = random.iter().map(|point| &point[0]).collect();
        values.sort_unstable();
        values.dedup();
        assert!(values.len() < 64, "what is drawn point by point leaves gaps");
        let other = |seed| drawn(Design::Sobol { points: 64, seed });
        assert_ne!(other(7), other(8), "another seed, another scramble");
        let first: Vec<String> = other(7).into_iter().take(4).map(|point| point.join(" ")).collect();
        assert_eq!(
            first,
            ["30 6", "45 38", "8 52", "55 21"],
            "the same on every machine and with every version"
        );
    }

    #[test]
    fn a_sequence_has_its_limits() {
        let axes: Vec<Axis> = (0..257).map(|axis| Axis::parse(&format!("a{axis}=0..63")).unwrap()).collect();
        let told = |axes: &[Axis], points| {
            super::points(axes, Design::Sobol { points, seed: 0 }).unwrap_err().message().to_owned()
        };
        assert_eq!(told(&axes, 4), "a Sobol' sequence has at most 256 axes");
        assert_eq!(told(&axes[..1], 65_537), "a Sobol' sequence has at most 65536 points");
        assert!(points(&axes[..256], Design::Sobol { points: 4, seed: 0 }).is_ok(), "at the limit");
    }
}
