//! x
#![allow(dead_code, unused, missing_docs)]
use std::{fs, hint::black_box, time::*};
use taiinet_query::{Index, Query, Scratch};
fn cpu() -> u64 { fs::read_to_string("/proc/self/schedstat").unwrap().split(' ').next().unwrap().parse().unwrap() }
struct D(u64);
impl D { fn next(&mut self) -> u64 { self.0 = self.0.wrapping_add(0x9e3779b97f4a7c15); let mut z = self.0; z = (z ^ (z >> 30)).wrapping_mul(0xbf58476d1ce4e5b9); z = (z ^ (z >> 27)).wrapping_mul(0x94d049bb133111eb); z ^ (z >> 31) }
 fn below(&mut self, n: u64) -> u64 { self.next() % n } }
fn resident() -> usize { fs::read_to_string("/proc/self/statm").unwrap().split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096 }
fn run(name: &str, n: usize, mut q: impl FnMut(usize, &mut D) -> String, mut doc: impl FnMut(&mut D) -> String) {
    let mut d = D(7);
    let queries: Vec<Query> = (0..n).map(|i| q(i, &mut d).parse().unwrap()).collect();
    let docs: Vec<_> = (0..500).map(|_| taiinet_document::parse_map(&doc(&mut d)).unwrap()).collect();
    let before = resident(); let t = cpu();
    let mut index = Index::new();
    for (i, q) in queries.iter().enumerate() { index.insert(i as u64, q.clone()); }
    let build = cpu() - t; let mem = (resident() - before) / n;
    let mut s = Scratch::default(); let mut m = 0u64;
    let t = cpu(); let mut k = 0;
    while k < 500 || cpu() - t < 300_000_000 { index.visit(&mut s, &docs[k % 500], |x| { m += 1; }); k += 1; }
    let us = (cpu() - t) as f64 / 1e3 / k as f64;
    let t = cpu(); for i in (0..n as u64).step_by(10) { index.remove(&i); } let rem = (cpu() - t) as f64 / (n as f64 / 10.0) / 1e3;
    println!("{name:40} n {n}: {us:.1} us/doc, {:.1} matches, build {:.2} us/q, {mem} B/q, remove {rem:.2} us", m as f64 / k as f64, build as f64 / 1e3 / n as f64);
}
fn main() {
    let n = 100_000;
    run("narrow ranges", n, |_, d| { let a = d.below(1_000_000); format!("{{\"price\":{{\"$gte\":{a},\"$lt\":{}}}}}", a + 1000) }, |d| format!("{{\"price\":{}}}", d.below(1_000_000)));
    run("very narrow ranges", n, |_, d| { let a = d.below(1_000_000); format!("{{\"price\":{{\"$gte\":{a},\"$lt\":{}}}}}", a + 10) }, |d| format!("{{\"price\":{}}}", d.below(1_000_000)));
    run("narrow ranges ascending", n, |i, d| { let a = i * 10; format!("{{\"price\":{{\"$gte\":{a},\"$lt\":{}}}}}", a + 1000) }, |d| format!("{{\"price\":{}}}", d.below(1_000_000)));
    run("half-open", n, |_, d| { let a = d.below(1_000_000); format!("{{\"price\":{{\"$gt\":{a}}}}}") }, |d| format!("{{\"price\":{}}}", d.below(1_000_000)));
    run("mixed widths", n, |_, d| { let a = d.below(1_000_000); let w = 1u64 << d.below(20); format!("{{\"price\":{{\"$gte\":{a},\"$lt\":{}}}}}", a + w) }, |d| format!("{{\"price\":{}}}", d.below(1_000_000)));
    run("followed authors $in 100 of 10k", 10_000, |_, d| { let v: Vec<String> = (0..100).map(|_| format!("\"u{}\"", d.below(10_000))).collect(); format!("{{\"author\":{{\"$in\":[{}]}}}}", v.join(",")) }, |d| format!("{{\"author\":\"u{}\"}}", d.below(10_000)));
    run("tweet & likes > n", n, |_, d| format!("{{\"type\":\"tweet\",\"likes\":{{\"$gt\":{}}}}}", 1u64 << d.below(20)), |d| format!("{{\"type\":\"tweet\",\"likes\":{}}}", d.below(16)));
    run("all the same", n, |_, d| "{\"type\":\"tweet\"}".into(), |d| format!("{{\"type\":\"toot\",\"likes\":{}}}", d.below(16)));
    run("own path each, range", n, |i, d| format!("{{\"p{i}\":{{\"$gt\":{}}}}}", d.below(20)), |d| format!("{{\"p{}\":{}}}", d.below(100_000), d.below(16)));
    run("unique text", n, |i, d| format!("{{\"id\":\"document {i}\"}}"), |d| format!("{{\"id\":\"document {}\"}}", d.below(100_000)));
    run("regex & type of 100", n, |i, d| format!("{{\"type\":\"t{}\",\"text\":{{\"$regex\":\"hello.*{}\"}}}}", d.below(100), i % 100), |d| format!("{{\"type\":\"t{}\",\"text\":\"well, hello {}\"}}", d.below(100), d.below(100)));
    run("tags contains of 1000", n, |i, d| format!("{{\"tags\":{{\"$contains\":\"t{}\"}}}}", d.below(1000)), |d| format!("{{\"tags\":[\"t{}\",\"t{}\",\"t{}\"]}}", d.below(1000), d.below(1000), d.below(1000)));
    run("zipf type & zipf author", n, |i, d| { let z = |d: &mut D| 1u64 << d.below(10); let (a,b)=(z(d),z(d)); format!("{{\"type\":\"t{}\",\"author\":\"a{}\"}}", d.below(a), d.below(b)) }, |d| { let z = |d: &mut D| 1u64 << d.below(10); let (a,b)=(z(d),z(d)); format!("{{\"type\":\"t{}\",\"author\":\"a{}\"}}", d.below(a), d.below(b)) });
    run("4 wide in", 20_000, |i, d| { let mut l = |k: &str| { let v: Vec<String> = (0..30).map(|_| format!("{}", d.below(1000))).collect(); format!("\"{k}\":{{\"$in\":[{}]}}", v.join(",")) }; format!("{{{},{},{},{}}}", l("a"), l("b"), l("c"), l("d")) }, |d| format!("{{\"a\":{},\"b\":{},\"c\":{},\"d\":{}}}", d.below(1000), d.below(1000), d.below(1000), d.below(1000)));
}
