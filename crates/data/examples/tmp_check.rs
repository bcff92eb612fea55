use collegium_data::*;
use std::{path::*, sync::Arc, time::Instant};
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let out = Path::new(&a[1]);
    Tokenizer::bytes().save(&out.join("bytes")).unwrap();
    let s = Sources::find(&[a[2].clone().into()], "text").unwrap();
    let t = Instant::now();
    let bpe = Tokenizer::train_bpe(s.documents(), 2048).unwrap();
    bpe.save(&out.join("bpe")).unwrap();
    println!("train bpe {:?}", t.elapsed());
    let text = std::fs::read_to_string(&a[3]).unwrap();
    std::fs::write(out.join("bytes.ids"), format!("{:?}", Tokenizer::bytes().encode(&text).unwrap()))
        .unwrap();
    std::fs::write(out.join("bpe.ids"), format!("{:?}", bpe.encode(&text).unwrap())).unwrap();
    for tok in [Tokenizer::bytes(), bpe] {
        let t = Instant::now();
        let f =
            Arc::new(TokenFile::prepare(&s, &tok, &out.join("cache"), &mut |p| println!("{p:?}")).unwrap());
        println!("{} tokens {:?}", f.num_tokens(), t.elapsed());
        let t = Instant::now();
        let f =
            Arc::new(TokenFile::prepare(&s, &tok, &out.join("cache"), &mut |p| println!("{p:?}")).unwrap());
        println!("reused {} {:?}", f.was_reused(), t.elapsed());
        let sp = f.split(0.05, 0).unwrap();
        println!("{} {}", sp.train.num_tokens(), sp.validation.num_tokens());
        let mut b = TokenBatches::new(sp.train, 0, 16, 256).unwrap();
        let t = Instant::now();
        for _ in 0..100 {
            b.next_batch().unwrap();
        }
        println!("100 batches {:?}", t.elapsed());
    }
    let c = corpus::CorpusConfig::default();
    let mut st = corpus::CorpusStream::new(c.clone(), Tokenizer::bytes(), 16, 128).unwrap();
    let t = Instant::now();
    let mut n = 0;
    for _ in 0..100 {
        n += st.next_batch().unwrap().num_targets();
    }
    println!("corpus 100 batches {:?} targets/batch {}", t.elapsed(), n / 100);
    let fresh = c.fresh_problems(400).unwrap();
    for k in corpus::Kind::ALL {
        let v: Vec<f64> = fresh.iter().filter(|p| p.kind == k).map(|p| p.chance()).collect();
        println!("{k:?} {} mean chance {}", v.len(), v.iter().sum::<f64>() / v.len() as f64);
    }
    for p in &fresh[..12] {
        println!("{}{}", p.prompt, p.solution);
    }
}
