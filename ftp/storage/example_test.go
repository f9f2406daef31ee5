package storage_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"

	"github.com/weft-go/weft/ftp/storage"
)

// A directory is served, an upload becomes visible when it is complete.
func Example() {
	dir, err := os.MkdirTemp("", "served")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	fsys, err := storage.OpenOSRoot(dir, storage.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer fsys.Close()

	up, err := fsys.Create("/report", storage.WriteReplace, 0)
	if err != nil {
		log.Fatal(err)
	}
	defer up.Abort() // does nothing after Commit
	if _, err := io.WriteString(up, "all of it"); err != nil {
		log.Fatal(err)
	}
	_, err = fsys.Stat("/report")
	fmt.Println("before:", errors.Is(err, fs.ErrNotExist))
	if err := up.Commit(); err != nil {
		log.Fatal(err)
	}
	e, err := fsys.Stat("/report")
	fmt.Println("after:", e.Size, err)
	// Output:
	// before: true
	// after: 9 <nil>
}

// A directory of any size is listed in batches.
func ExampleDir() {
	fsys := storage.NewMem()
	for i := range 5 {
		if err := fsys.Mkdir(fmt.Sprintf("/dir%d", i)); err != nil {
			log.Fatal(err)
		}
	}
	d, err := fsys.OpenDir("/")
	if err != nil {
		log.Fatal(err)
	}
	defer d.Close()
	for {
		batch, err := d.Next(2)
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(len(batch), ":")
		for _, e := range batch {
			fmt.Print(" ", e.Name)
		}
		fmt.Println()
	}
	// Output:
	// 2: dir0 dir1
	// 2: dir2 dir3
	// 1: dir4
}

// Each user gets a view of the home alone; what leads out of it is refused.
func ExampleSub() {
	served := storage.NewMem()
	if err := served.Mkdir("/alice"); err != nil {
		log.Fatal(err)
	}
	home, err := storage.Sub(served, "/alice")
	if err != nil {
		log.Fatal(err)
	}
	defer home.Close()
	_, err = home.Stat("/../bob")
	fmt.Println(err)
	fmt.Println(storage.ReadOnly(home).Mkdir("/new"))
	// Output:
	// stat /../bob: path leaves the root
	// mkdir /new: read-only: permission denied
}
