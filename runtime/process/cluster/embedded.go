package cluster

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// An embedded is a server in this process.
type embedded struct {
	server *server.Server
	url    string
	remove string // folder to remove at the end, if any
}

// serverPatience is how long a server has to start.
const serverPatience = 30 * time.Second

var errNotStarted = errors.New("cluster: the server has not started in time")

// embeddedPayload is the largest message of the server of this process, the largest that NATS
// recommends.
const embeddedPayload = 8 << 20

// startEmbedded starts a server. It blocks.
func startEmbedded(dir string) (*embedded, error) {
	e := new(embedded)
	var err error
	if dir == "" {
		dir, err = os.MkdirTemp("", "weft-cluster-")
		e.remove = dir
	} else {
		err = os.MkdirAll(dir, 0o700) // a server that can't have it only says so in its log
	}
	if err != nil {
		return nil, err
	}
	// Every user of this machine can reach the loopback address.
	password := rand.Text()
	s, err := server.NewServer(&server.Options{
		ServerName: "weft-" + rand.Text(),
		Host:       "127.0.0.1",
		Port:       server.RANDOM_PORT,
		Username:   "weft",
		Password:   password,
		JetStream:  true,
		StoreDir:   dir,
		MaxPayload: embeddedPayload,
		NoLog:      true,
		NoSigs:     true,
	})
	if err != nil {
		e.stop()
		return nil, fmt.Errorf("cluster: %w", err)
	}
	e.server = s
	go s.Start()
	if !s.ReadyForConnections(serverPatience) {
		e.stop()
		return nil, errNotStarted
	}
	u := url.URL{Scheme: "nats", User: url.UserPassword("weft", password), Host: s.Addr().String()}
	e.url = u.String()
	return e, nil
}

// stop ends the server. It blocks.
func (e *embedded) stop() {
	if e.server != nil {
		e.server.Shutdown()
		e.server.WaitForShutdown()
	}
	if e.remove == "" {
		return
	}
	// Goroutines of the server that it has not waited for may still write there.
	for range 20 {
		if os.RemoveAll(e.remove) == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}
