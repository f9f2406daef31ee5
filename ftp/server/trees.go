package server

import (
	"sync"

	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/storage"
)

// trees are the users' trees that have a quota: sessions with the same one count
// together.
type trees struct {
	mu sync.Mutex // held for a few instructions
	m  map[treeKey]*tree
}

// treeKey is a home, or the user's name where Config.RootFor gives the trees.
type treeKey struct {
	host *Host
	name string
}

// tree is one of them, while it has sessions: what was done to it beside the server is
// seen by the walk for the next one.
type tree struct {
	key      treeKey
	usage    storage.Usage
	sessions int // trees.mu guards
}

func (ts *trees) enter(host *Host, cfg *Config, id *auth.Identity) *tree {
	key := treeKey{host, id.Home}
	if cfg.RootFor != nil {
		key.name = id.Name
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t := ts.m[key]
	if t == nil {
		if ts.m == nil {
			ts.m = make(map[treeKey]*tree)
		}
		t = &tree{key: key}
		ts.m[key] = t
	}
	t.sessions++
	return t
}

func (ts *trees) leave(t *tree) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t.sessions--; t.sessions == 0 {
		delete(ts.m, t.key)
	}
}

// quota is what a user's tree may hold: the user's own limits, or else the server's.
func quota(cfg *Config, id *auth.Identity) storage.Limits {
	max := storage.Limits{Bytes: id.MaxBytes, Files: id.MaxFiles}
	if max.Bytes == 0 {
		max.Bytes = cfg.Quota.Bytes
	}
	if max.Files == 0 {
		max.Files = cfg.Quota.Files
	}
	return max
}
