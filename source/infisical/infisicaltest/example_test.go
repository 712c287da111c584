package infisicaltest_test

import (
	"fmt"
	"net/http"

	"infisync/source"
	"infisync/source/infisical/infisicaltest"
)

func Example() {
	server, err := infisicaltest.Start(infisicaltest.Options{Profile: infisicaltest.V42025})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	// An empty project is the first one.
	if err := server.Set(source.Place{Environment: "dev"}, "GREETING", "hello"); err != nil {
		fmt.Println(err)
		return
	}

	lift := server.Fault(infisicaltest.Fault{Do: infisicaltest.FaultStatus, Kind: infisicaltest.KindStatus, Status: 503})
	for range 2 {
		resp, err := http.Get(server.URL() + "/api/status")
		if err != nil {
			fmt.Println(err)
			return
		}
		resp.Body.Close()
		fmt.Println(resp.Status)
		lift()
	}
	fmt.Println(server.Count(infisicaltest.KindStatus), "requests")
	// Output:
	// 503 Service Unavailable
	// 200 OK
	// 2 requests
}
