package interop

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCurl(t *testing.T) {
	curl := peer(t, "curl")
	onEngines(t, func(t *testing.T, engine string) {
		s := start(t, engine, 1)
		dir := t.TempDir()
		local := filepath.Join(dir, "local")
		hash, err := randomFile(local, 3<<20+17)
		if err != nil {
			t.Fatal(err)
		}
		do := func(args ...string) string {
			t.Helper()
			return mustRun(t, dir, curl, append([]string{"-sS"}, args...)...)
		}
		do("-T", local, s.url(0, "up%20load.bin"))
		wantFile(t, filepath.Join(s.home(0), "up load.bin"), hash)

		do("-o", "back", s.url(0, "up%20load.bin"))
		wantFile(t, filepath.Join(dir, "back"), hash)

		// Active mode, to our own address.
		do("-o", "active", "--ftp-port", "127.0.0.1", s.url(0, "up%20load.bin"))
		wantFile(t, filepath.Join(dir, "active"), hash)

		// A resumed download, and a resumed upload.
		data, err := os.ReadFile(local)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "part"), data[:1<<20], 0o600); err != nil {
			t.Fatal(err)
		}
		do("-C", "-", "-o", "part", s.url(0, "up%20load.bin"))
		wantFile(t, filepath.Join(dir, "part"), hash)
		if err := os.WriteFile(filepath.Join(s.home(0), "part"), data[:1<<20], 0o600); err != nil {
			t.Fatal(err)
		}
		do("-C", "-", "-T", local, s.url(0, "part"))
		wantFile(t, filepath.Join(s.home(0), "part"), hash)

		// A range, directories made on the way, append.
		do("-o", "range", "-r", "100-199", s.url(0, "part"))
		if got, err := os.ReadFile(filepath.Join(dir, "range")); err != nil || string(got) != string(data[100:200]) {
			t.Errorf("range: %d bytes, %v", len(got), err)
		}
		do("--ftp-create-dirs", "-T", local, s.url(0, "a/b/c/deep"))
		wantFile(t, filepath.Join(s.home(0), "a/b/c/deep"), hash)
		do("--append", "-T", local, s.url(0, "part"))
		if fi, err := os.Stat(filepath.Join(s.home(0), "part")); err != nil || fi.Size() != 2*int64(len(data)) {
			t.Errorf("append: %v, %v", fi, err)
		}

		// Listings, rename, delete.
		list := do(s.url(0, ""))
		if !strings.Contains(list, "up load.bin") || !strings.Contains(list, " 3145745 ") {
			t.Errorf("list:\n%s", list)
		}
		if names := strings.Fields(do("-l", s.url(0, "a/"))); len(names) != 1 || names[0] != "b" {
			t.Errorf("names %q", names)
		}
		do("-Q", "-RNFR part", "-Q", "-RNTO renamed", s.url(0, ""), "-o", os.DevNull)
		do("-Q", "-DELE renamed", s.url(0, ""), "-o", os.DevNull)
		if _, err := os.Stat(filepath.Join(s.home(0), "renamed")); !os.IsNotExist(err) {
			t.Errorf("after rename and delete: %v", err)
		}
	})
}

func TestWget(t *testing.T) {
	wget := peer(t, "wget")
	onEngines(t, func(t *testing.T, engine string) {
		s := start(t, engine, 1)
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(s.home(0), "tree/sub"), 0o755); err != nil {
			t.Fatal(err)
		}
		hashes := map[string]string{}
		for _, name := range []string{"tree/one", "tree/sub/two", "tree/sub/three"} {
			hash, err := randomFile(filepath.Join(s.home(0), name), 200_000)
			if err != nil {
				t.Fatal(err)
			}
			hashes[name] = hash
		}
		mustRun(t, dir, wget, "-q", "-nH", "-r", s.url(0, "tree/"))
		for name, hash := range hashes {
			wantFile(t, filepath.Join(dir, name), hash)
		}
		// Resumed, and in active mode.
		data, err := os.ReadFile(filepath.Join(dir, "tree/one"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "one"), data[:1234], 0o600); err != nil {
			t.Fatal(err)
		}
		mustRun(t, dir, wget, "-q", "-c", s.url(0, "tree/one"))
		wantFile(t, filepath.Join(dir, "one"), hashes["tree/one"])
		mustRun(t, dir, wget, "-q", "--no-passive-ftp", "-O", "active", s.url(0, "tree/sub/two"))
		wantFile(t, filepath.Join(dir, "active"), hashes["tree/sub/two"])
	})
}

func TestLftp(t *testing.T) {
	lftp := peer(t, "lftp")
	onEngines(t, func(t *testing.T, engine string) {
		s := start(t, engine, 1)
		dir := t.TempDir()
		hashes := map[string]string{}
		for _, name := range []string{"plain", "with space", "ünïcödé", "deep/er/file", "deep/empty"} {
			path := filepath.Join(dir, "src", name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			size := int64(500_000)
			if name == "deep/empty" {
				size = 0
			}
			hash, err := randomFile(path, size)
			if err != nil {
				t.Fatal(err)
			}
			hashes[name] = hash
		}
		script := strings.Join([]string{
			"set cmd:fail-exit yes",
			"set net:max-retries 1",
			"set ftp:ssl-allow no",
			"mirror -R --parallel=4 src up",
			"mirror --parallel=4 up down",
			"mv up/plain up/moved",
			"get -c up/moved -o part",
			"put -c src/plain -o half",
			"cat up/moved > cat.out",
			"cls -1 up > names.out",
			"rm -r up/deep",
			"mkdir empty",
			"rmdir empty",
			"set ftp:passive-mode no",
			"get up/moved -o active.out",
			"bye",
		}, "; ")
		data, err := os.ReadFile(filepath.Join(dir, "src/plain"))
		if err != nil {
			t.Fatal(err)
		}
		for _, half := range []string{filepath.Join(dir, "part"), filepath.Join(s.home(0), "half")} {
			if err := os.WriteFile(half, data[:len(data)/2], 0o644); err != nil {
				t.Fatal(err)
			}
		}
		mustRun(t, dir, lftp, "-c", "open "+strings.TrimSuffix(s.url(0, ""), "/")+"; "+script)
		for name, hash := range hashes {
			wantFile(t, filepath.Join(dir, "down", name), hash)
		}
		wantFile(t, filepath.Join(dir, "cat.out"), hashes["plain"])
		wantFile(t, filepath.Join(dir, "active.out"), hashes["plain"])
		wantFile(t, filepath.Join(dir, "part"), hashes["plain"])
		wantFile(t, filepath.Join(s.home(0), "half"), hashes["plain"])
		names, err := os.ReadFile(filepath.Join(dir, "names.out"))
		if err != nil || !strings.Contains(string(names), "with space") || !strings.Contains(string(names), "ünïcödé") {
			t.Errorf("names %q, %v", names, err)
		}
		if _, err := os.Stat(filepath.Join(s.home(0), "up/deep")); !os.IsNotExist(err) {
			t.Errorf("after rm -r: %v", err)
		}
	})
}

func TestPython(t *testing.T) {
	python := peer(t, "python3")
	script, err := filepath.Abs("testdata/session.py")
	if err != nil {
		t.Fatal(err)
	}
	onEngines(t, func(t *testing.T, engine string) {
		s := start(t, engine, 1)
		host, port, _ := strings.Cut(s.addr, ":")
		mustRun(t, t.TempDir(), python, script, host, port, "user0", password)
	})
}
