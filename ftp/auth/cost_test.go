package auth

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// counted is a scheme that counts instead of hashing. Its password is "pw".
type counted struct {
	calls atomic.Int32
	wait  chan struct{} // each call waits for it, if it is there
}

func (c *counted) match(password string) bool {
	c.calls.Add(1)
	if c.wait != nil {
		<-c.wait
	}
	return password == "pw"
}

func counting(names ...string) (*Users, []*counted) {
	set := &userSet{accounts: make(map[string]*account)}
	var all []*counted
	for _, name := range names {
		c := new(counted)
		all = append(all, c)
		set.add(&account{id: Identity{Name: name, Home: "/"}, hash: Hash{scheme: c}})
	}
	return newUsers("", set), all
}

// TestUnknownUserCostsAHash is C003, C174 and FIELD B34 without a stopwatch: every login, whatever is
// wrong with it, computes exactly one hash of the password, in the cost of a real user.
func TestUnknownUserCostsAHash(t *testing.T) {
	u, all := counting("a", "b", "c")
	u.set.Load().add(&account{id: Identity{Name: "locked"}, locked: true})
	total := func() (n int32) {
		for _, c := range all {
			n += c.calls.Load()
		}
		return n
	}
	for i, tt := range []struct {
		user, password string
		want           error
	}{
		{"a", "pw", nil}, {"a", "no", ErrDenied}, {"nobody", "pw", ErrDenied}, {"nobody", "", ErrDenied},
		{"locked", "pw", ErrDenied}, {"", "pw", ErrDenied}, {strings.Repeat("x", 1<<16), "pw", ErrDenied},
	} {
		_, err := u.Authenticate(t.Context(), tt.user, tt.password, Peer{})
		if err != tt.want || total() != int32(i+1) {
			t.Fatalf("%.20q, %q: %v, %d hashes, want %d", tt.user, tt.password, err, total(), i+1)
		}
	}
	if all[0].calls.Load() < 2 {
		t.Fatal("a known name was not checked against its own hash")
	}
}

// TestStandInIsStable checks that asking twice for an unknown name costs the same, and that unknown
// names are spread over the costs of the known.
func TestStandInIsStable(t *testing.T) {
	u, all := counting("a", "b", "c", "d")
	hit := make(map[int]int)
	for i := range 200 {
		name, first := fmt.Sprint("unknown", i), -1
		for range 3 {
			var before [4]int32
			for j, c := range all {
				before[j] = c.calls.Load()
			}
			_, _ = u.Authenticate(t.Context(), name, "x", Peer{})
			for j, c := range all {
				if c.calls.Load() == before[j] {
					continue
				}
				if first >= 0 && first != j {
					t.Fatalf("%s is checked against different hashes", name)
				}
				first = j
			}
		}
		hit[first]++
	}
	for j := range all {
		if hit[j] < 20 {
			t.Errorf("of 200 names %d cost what user %d costs", hit[j], j)
		}
	}
}

// TestNoUsersCostsAHash checks the stand-in of an empty file.
func TestNoUsersCostsAHash(t *testing.T) {
	if got := parse(t, "").set.Load().standIn(7); got != nobody || got.Encoded() == "" {
		t.Fatalf("got %q", got.Encoded())
	}
	if h, err := ParseHash(nobody.Encoded()); err != nil || h.Verify("") {
		t.Fatalf("%v", err)
	}
	if _, err := parse(t, "").Authenticate(t.Context(), "x", "y", Peer{}); err != ErrDenied {
		t.Fatal(err)
	}
}

// TestHashesAreBounded is FIELD B36: a flood of logins computes no more hashes at once than there are
// processors, and one that waits for a turn can be given up.
func TestHashesAreBounded(t *testing.T) {
	u, all := counting("a")
	slots := runtime.GOMAXPROCS(0)
	c := all[0]
	c.wait = make(chan struct{})
	var wg sync.WaitGroup
	for range slots {
		wg.Go(func() {
			if _, err := u.Authenticate(context.Background(), "a", "pw", Peer{}); err != nil {
				t.Error(err)
			}
		})
	}
	for int(c.calls.Load()) < slots {
		runtime.Gosched()
	}
	ctx, cancel := context.WithCancel(context.Background())
	wg.Go(func() {
		if _, err := u.Authenticate(ctx, "a", "pw", Peer{}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	cancel()
	if _, err := u.Authenticate(ctx, "a", "pw", Peer{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(c.wait)
	wg.Wait()
	if got := int(c.calls.Load()); got != slots {
		t.Errorf("%d hashes were computed, want %d", got, slots)
	}
	if _, err := u.Authenticate(context.Background(), "a", "pw", Peer{}); err != nil {
		t.Errorf("the turns were not given back: %v", err)
	}
}
