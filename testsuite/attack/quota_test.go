package attack_test

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/weft-go/weft/ftp/server"
)

// TestAttack38_Quota: sessions at once try to get more into a home than it may hold: by
// REST, APPE, STOU, RNTO onto files being written, deletions of files being written,
// overwriting, giving up, copies.
func TestAttack38_Quota(t *testing.T) {
	const limit = 200_000
	attackBoth(t, func(w *world) {
		moves := []func(c *client, name, other string) (verb string){
			func(c *client, name, _ string) string { return "STOR " + name },
			func(c *client, name, _ string) string { return "APPE " + name },
			func(c *client, name, _ string) string { c.cmd("REST 1000"); return "STOR " + name },
			func(c *client, name, _ string) string { return "STOU" },
			func(c *client, name, other string) string {
				if c.cmd("RNFR "+name).Code == 350 {
					c.cmd("RNTO " + other)
				}
				return "APPE " + other
			},
			func(c *client, name, other string) string { c.cmd("DELE " + name); return "APPE " + other },
			func(c *client, name, other string) string {
				if c.cmd("SITE CPFR "+name).Code == 350 {
					c.cmd("SITE CPTO " + other)
				}
				return "STOR " + name
			},
		}
		content := strings.Repeat("x", 50_000)
		var all sync.WaitGroup
		for s := range 6 {
			c := w.login("eve")
			all.Go(func() {
				for i := range 30 {
					verb := moves[(s+i)%len(moves)](c, fmt.Sprint("f", i%4), fmt.Sprint("f", (s+i)%5))
					part := content[:1+(s*7919+i*104729)%len(content)]
					if i%5 < 4 {
						c.attempt(verb, part) // refused or not
						continue
					}
					data := w.dialFrom("127.0.0.1", c.passive())
					if c.cmd(verb).Code == 150 {
						_, _ = io.WriteString(data, part)
						c.send("ABOR")
						c.expect() // of the transfer
						c.expect() // of ABOR
					}
					_ = data.Close()
				}
			})
		}
		all.Wait()
		var held int64
		err := filepath.WalkDir(filepath.Join(w.root, "eve"), func(_ string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			if err == nil {
				held += info.Size()
			}
			return err
		})
		if err != nil && !os.IsNotExist(err) {
			w.Fatal(err)
		}
		if held > limit {
			w.Errorf("the home holds %d bytes, of %d allowed", held, limit)
		}
		if r := w.login("eve").cmd("SITE QUOTA", 200); !strings.Contains(r.Text(), fmt.Sprintf("You use %d of %d bytes", held, limit)) {
			w.Errorf("%q, there are %d", r.Text(), held)
		}
	}, func(c *server.Config) { c.Quota.Bytes = limit })
}
