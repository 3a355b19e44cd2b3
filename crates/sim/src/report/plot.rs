//! Plots as inline SVG.

use std::fmt::Write as _;

use super::table::number;

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 40.0;
/// More points are not seen on a screen.
const POINTS: usize = 440;

/// A plot of one figure against another.
pub(super) struct Plot<'a> {
    pub(super) title: &'a str,
    pub(super) about: &'a str,
    pub(super) x: &'a str,
    pub(super) y: &'a str,
    /// In the order of x.
    pub(super) points: Vec<(f64, f64)>,
    /// Whether each point is a column of its own.
    pub(super) columns: bool,
    /// Up to where the y axis goes at least.
    pub(super) at_least: f64,
    /// Whether each step of the y axis is ten times the one below.
    pub(super) tenfold: bool,
    /// Where something befell.
    pub(super) marks: Vec<f64>,
}

/// Steps of an axis up to about a value: 1, 2 or 5 times a power of ten.
fn step(span: f64) -> f64 {
    let rough = (span / 4.0).max(1e-9);
    let power = 10_f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|of| of * power).into_iter().find(|of| *of >= rough).unwrap_or(rough)
}

/// The y axis: its ticks, from the least to the greatest.
struct Axis {
    ticks: Vec<f64>,
    tenfold: bool,
}

impl Axis {
    fn new(plot: &Plot<'_>) -> Self {
        let values = || plot.points.iter().map(|(_, y)| *y);
        let highest = values().fold(plot.at_least, f64::max);
        let highest = if highest > 0.0 { highest } else { 1.0 };
        let ticks = if plot.tenfold {
            let least = values().filter(|y| *y > 0.0).fold(highest, f64::min);
            let (from, to) = (least.log10().floor() as i32, highest.log10().ceil() as i32);
            (from..=to.max(from + 1)).map(|power| 10_f64.powi(power)).collect()
        } else {
            let tall = step(highest);
            (0..=(highest / tall).ceil() as u32).map(|tick| f64::from(tick) * tall).collect()
        };
        Self { ticks, tenfold: plot.tenfold }
    }

    /// How high a value stands: 0 at the foot, 1 at the top.
    fn height(&self, value: f64) -> f64 {
        let (Some(least), Some(most)) = (self.ticks.first(), self.ticks.last()) else { return 0.0 };
        if self.tenfold {
            (value.max(*least) / least).log10() / (most / least).log10()
        } else {
            (value - least) / (most - least)
        }
    }
}

impl Plot<'_> {
    /// As a section of a page.
    pub(super) fn section(&self) -> String {
        let mut text = format!("<section><h2>{}</h2><p>{}</p>", self.title, self.about);
        if self.points.is_empty() {
            text.push_str("<p class=\"none\">Nothing was measured.</p></section>\n");
            return text;
        }
        let _ = writeln!(
            text,
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">{}</svg>\
             <p class=\"axis\">Upwards: {}</p></section>",
            self.title,
            self.drawing(),
            self.y
        );
        text
    }

    /// As a file of its own, in this style.
    pub(super) fn file(&self, style: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 -26 {WIDTH} {}\" role=\"img\" aria-label=\"{}\">\
             <style>{style}</style><text class=\"title\" x=\"{LEFT}\" y=\"-8\">{}: {}</text>{}</svg>\n",
            HEIGHT + 26.0,
            self.title,
            self.title,
            self.y,
            self.drawing()
        )
    }

    fn drawing(&self) -> String {
        let mut text = String::new();
        let least = self.points.iter().map(|(x, _)| *x).fold(f64::INFINITY, f64::min);
        let most = self.points.iter().map(|(x, _)| *x).fold(f64::NEG_INFINITY, f64::max);
        let (least, most) = if self.columns { (least - 0.5, most + 0.5) } else { (least, most) };
        let span = (most - least).max(1e-9);
        let axis = Axis::new(self);
        let at_x = |x: f64| LEFT + (x - least) / span * (WIDTH - LEFT - RIGHT);
        let at_y = |y: f64| HEIGHT - BOTTOM - axis.height(y) * (HEIGHT - TOP - BOTTOM);
        for tick in &axis.ticks {
            let y = at_y(*tick);
            let _ = write!(
                text,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text class=\"y\" x=\"{}\" y=\"{:.1}\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                y + 4.0,
                if self.tenfold { tick.to_string() } else { number(*tick) }
            );
        }
        let wide = step(span);
        let mut tick = (least / wide).ceil() * wide;
        while tick <= most {
            let x = at_x(tick);
            let _ = write!(
                text,
                "<text class=\"x\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
                HEIGHT - BOTTOM + 16.0,
                number((tick * 1000.0).round() / 1000.0)
            );
            tick += wide;
        }
        for mark in self.marks.iter().filter(|mark| (least..=most).contains(*mark)) {
            let x = at_x(*mark);
            let _ = write!(
                text,
                "<line class=\"mark\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{}\"/>",
                HEIGHT - BOTTOM
            );
        }
        if self.columns {
            let width = ((WIDTH - LEFT - RIGHT) / span * 0.8).max(1.0);
            for (x, y) in &self.points {
                let (left, y) = (at_x(*x) - width / 2.0, at_y(*y));
                let _ = write!(
                    text,
                    "<rect x=\"{left:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{:.1}\"/>",
                    HEIGHT - BOTTOM - y
                );
            }
        } else {
            let every = self.points.len().div_ceil(POINTS).max(1);
            let shown = self.points.iter().step_by(every).chain(self.points.last());
            let line: Vec<String> =
                shown.map(|(x, y)| format!("{:.1},{:.1}", at_x(*x), at_y(*y))).collect();
            let _ = write!(text, "<polyline points=\"{}\"/>", line.join(" "));
        }
        let _ = write!(
            text,
            "<text class=\"name\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            (WIDTH + LEFT - RIGHT) / 2.0,
            HEIGHT - 6.0,
            self.x
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_steps() {
        assert_eq!([0.9, 4.0, 37.0, 900.0].map(step), [0.5, 1.0, 10.0, 500.0]);
    }

    #[test]
    fn a_tenfold_axis_goes_from_a_power_of_ten_to_another_and_takes_nothing_for_its_foot() {
        let plot = Plot {
            title: "",
            about: "",
            x: "",
            y: "",
            points: vec![(0.0, 0.0), (1.0, 0.5), (2.0, 50.0)],
            columns: false,
            at_least: 0.0,
            tenfold: true,
            marks: Vec::new(),
        };
        let axis = Axis::new(&plot);
        assert_eq!(axis.ticks, [0.1, 1.0, 10.0, 100.0]);
        let heights = [0.0, 0.1, 1.0, 100.0].map(|value| (axis.height(value) * 300.0).round());
        assert_eq!(heights, [0.0, 0.0, 100.0, 300.0]);
        assert!(plot.file("").starts_with("<svg xmlns"));
    }
}
