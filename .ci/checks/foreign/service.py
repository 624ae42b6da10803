"""The service of library.proto, by grpcio. Prints its port; ends with its standard input."""

import sys
from concurrent import futures

import grpc
from google.api import httpbody_pb2
from google.protobuf import any_pb2, empty_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

import library_pb2 as pb
import library_pb2_grpc


def refusal(code, message, *details):
    packed = []
    for detail in details:
        packed.append(any_pb2.Any())
        packed[-1].Pack(detail)
    return rpc_status.to_status(status_pb2.Status(code=code, message=message, details=packed))


class Library(library_pb2_grpc.LibraryServicer):
    def __init__(self):
        self.books = {}

    def GetBook(self, request, context):
        if request.name not in self.books:
            # Plain: a code and a text.
            context.abort(grpc.StatusCode.NOT_FOUND, f"no book {request.name!r}")
        return self.books[request.name]

    def PutBook(self, request, context):
        book = pb.Book()
        book.CopyFrom(request.book)
        if request.HasField("embargo"):
            book.title += f", from {request.embargo.ToJsonString()}"
        for subject in request.also:
            book.title += f", {pb.Subject.Name(subject).lower()}"
        self.books[book.name] = book
        return book

    def RemoveBook(self, request, context):
        self.GetBook(request, context)
        del self.books[request.name]
        return empty_pb2.Empty()

    def ReadBook(self, request, context):
        self.GetBook(request, context)
        return httpbody_pb2.HttpBody(content_type="text/plain; charset=utf-8", data="Ein Märchen\n".encode())

    def CopyBook(self, request, context):
        book = self.GetBook(request, context)
        for number in range(request.count):
            if number == 3:
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "out of paper")
            yield pb.Book(name=f"{book.name}-{number}", subject=book.subject)

    def LendBook(self, request, context):
        # As the error model has it: ErrorInfo, BadRequest and RetryInfo in the details.
        if request.reader.days > 30:
            violation = error_details_pb2.BadRequest.FieldViolation(field="reader.days", description="at most 30")
            bad = error_details_pb2.BadRequest(field_violations=[violation])
            info = error_details_pb2.ErrorInfo(reason="TOO_LONG", domain="library.example")
            context.abort_with_status(refusal(code_pb2.INVALID_ARGUMENT, "that is too long", info, bad))
        if request.reader.days == 0:
            retry = error_details_pb2.RetryInfo()
            retry.retry_delay.seconds = 7
            info = error_details_pb2.ErrorInfo(reason="LENT", domain="library.example")
            context.abort_with_status(refusal(code_pb2.UNAVAILABLE, "somebody has it", info, retry))
        metadata = dict(context.invocation_metadata())
        seen = {name: metadata.get(name, "-") for name in ("authorization", "x-forwarded-for", "x-user")}
        return pb.Book(title=f"{request.reader.full_name} {seen} {context.time_remaining() < 5}")


server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
library_pb2_grpc.add_LibraryServicer_to_server(Library(), server)
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
sys.stdin.read()
server.stop(None)
