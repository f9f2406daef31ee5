package pgdial_test

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/weft-go/weft/net/pgdial"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func ExampleConfigure() {
	runtimetest.Example(func() {
		config, err := pgx.ParseConfig("postgres://user@127.0.0.1:1/app?sslmode=disable")
		if err != nil {
			fmt.Println(err)
			return
		}
		pgdial.Configure(&config.Config)
		conn, err := pgx.ConnectConfig(context.Background(), config) // parks the task
		if err != nil {
			fmt.Println("nobody is there")
			return
		}
		defer conn.Close(context.Background())
	})
	// Output: nobody is there
}
