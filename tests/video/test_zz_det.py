import hashlib, shutil
import av, films, pytest
from pathlib import Path
from gramarye.video.frames import film, frames, Writer
@pytest.mark.parametrize("k",range(60))
def test_d(k,tmp_path):
    it=film(films.video(tmp_path/"in.mp4",24,sound="aac"))
    reads=[]
    for n in ("one","two"):
        h=hashlib.md5()
        with Writer(tmp_path/f"{n}.mp4", it) as w:
            for f in frames(it): h.update(f.pixels.numpy()); w.write(f)
        reads.append(h.hexdigest()[:6])
    a,b=[(tmp_path/f"{n}.mp4").read_bytes() for n in ("one","two")]
    src=hashlib.md5((tmp_path/"in.mp4").read_bytes()).hexdigest()[:6]
    if a!=b or src!="9c0155"[:6] or reads[0]!=reads[1]:
        d=[i for i in range(min(len(a),len(b))) if a[i]!=b[i]]
        print("DIFF",k,src,reads,len(a),len(b),len(d),d[:10])
        shutil.copytree(tmp_path,f"/tmp/io/fail{k}",dirs_exist_ok=True)
        assert 0
