module example.com/imagehandler

go 1.19
