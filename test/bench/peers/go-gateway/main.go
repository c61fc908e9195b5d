// A gateway as grpc-ecosystem/grpc-gateway generates it, before our mserv1: main UPSTREAM PORT.
package main

import (
	"context"
	"log"
	"net/http"
	"os"

	archivos "archivos/v1"

	"github.com/grpc-ecosystem/grpc-gateway/runtime"
	"google.golang.org/grpc"
)

func main() {
	mux := runtime.NewServeMux(runtime.WithMarshalerOption(runtime.MIMEWildcard, &runtime.JSONPb{OrigName: true}))
	options := []grpc.DialOption{grpc.WithInsecure()}
	if err := archivos.RegisterListadoServiceHandlerFromEndpoint(context.Background(), mux, os.Args[1], options); err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[2], mux))
}
