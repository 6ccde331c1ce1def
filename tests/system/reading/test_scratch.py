import shlex, pathlib
def test_all(status_repo, gitops, sample, kubectl):
    status_repo.commit(*sample); kubectl.serve(sample)
    bad=0
    out=[]
    for line in pathlib.Path("/tmp/k/lines.txt").read_text().splitlines():
        w=shlex.split(line) if "'" in line else line.split()
        k=kubectl(*w)
        try: g=gitops(*w)
        except BaseException as e:
            import traceback; out.append(f"### {line}\nEXC {traceback.format_exc()[-600:]}"); continue
        if (g.out,g.err,g.code)!=(k.out,k.err,k.code):
            out.append(f"### {line}\n--- ours {g.code}\n{g.out}|{g.err}\n--- kube {k.code}\n{k.out}|{k.err}")
    pathlib.Path("/tmp/k/diffs.txt").write_text("\n".join(out))
    print(len(out))
