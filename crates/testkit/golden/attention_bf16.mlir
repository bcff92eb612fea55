module @attention_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x7x4x32xbf16>, %arg1: tensor<2x7x2x32xbf16>, %arg2: tensor<2x7x2x32xbf16>, %arg3: tensor<2x7xi32>, %arg4: tensor<2x7x4x32xbf16>) -> (tensor<2x7x4x32xbf16>, tensor<2x7x4x32xbf16>, tensor<2x7x2x32xbf16>, tensor<2x7x2x32xbf16>) {
    %0 = stablehlo.reshape %arg0 : (tensor<2x7x4x32xbf16>) -> tensor<2x7x2x2x32xbf16>
    %1 = stablehlo.transpose %0, dims = [0, 2, 3, 1, 4] : (tensor<2x7x2x2x32xbf16>) -> tensor<2x2x2x7x32xbf16>
    %2 = stablehlo.transpose %arg1, dims = [0, 2, 1, 3] : (tensor<2x7x2x32xbf16>) -> tensor<2x2x7x32xbf16>
    %3 = stablehlo.transpose %arg2, dims = [0, 2, 1, 3] : (tensor<2x7x2x32xbf16>) -> tensor<2x2x7x32xbf16>
    %4 = stablehlo.iota dim = 0 : tensor<7x7xi32>
    %5 = stablehlo.constant dense<0> : tensor<i32>
    %6 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<i32>) -> tensor<7x7xi32>
    %7 = stablehlo.add %4, %6 : tensor<7x7xi32>
    %8 = stablehlo.iota dim = 1 : tensor<7x7xi32>
    %9 = stablehlo.add %8, %6 : tensor<7x7xi32>
    %10 = stablehlo.compare LE, %9, %7, SIGNED : (tensor<7x7xi32>, tensor<7x7xi32>) -> tensor<7x7xi1>
    %11 = stablehlo.broadcast_in_dim %arg3, dims = [0, 1] : (tensor<2x7xi32>) -> tensor<2x7x7xi32>
    %12 = stablehlo.broadcast_in_dim %arg3, dims = [0, 2] : (tensor<2x7xi32>) -> tensor<2x7x7xi32>
    %13 = stablehlo.compare EQ, %11, %12, SIGNED : (tensor<2x7x7xi32>, tensor<2x7x7xi32>) -> tensor<2x7x7xi1>
    %14 = stablehlo.broadcast_in_dim %10, dims = [1, 2] : (tensor<7x7xi1>) -> tensor<2x7x7xi1>
    %15 = stablehlo.and %13, %14 : tensor<2x7x7xi1>
    %16 = stablehlo.dot_general %1, %2, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3] : (tensor<2x2x2x7x32xbf16>, tensor<2x2x7x32xbf16>) -> tensor<2x2x2x7x7xf32>
    %17 = stablehlo.constant dense<0.17677669> : tensor<f32>
    %18 = stablehlo.broadcast_in_dim %17, dims = [] : (tensor<f32>) -> tensor<2x2x2x7x7xf32>
    %19 = stablehlo.multiply %16, %18 : tensor<2x2x2x7x7xf32>
    %20 = stablehlo.constant dense<-1.0e30> : tensor<f32>
    %21 = stablehlo.broadcast_in_dim %15, dims = [0, 3, 4] : (tensor<2x7x7xi1>) -> tensor<2x2x2x7x7xi1>
    %22 = stablehlo.broadcast_in_dim %20, dims = [] : (tensor<f32>) -> tensor<2x2x2x7x7xf32>
    %23 = stablehlo.select %21, %19, %22 : tensor<2x2x2x7x7xi1>, tensor<2x2x2x7x7xf32>
    %24 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %25 = stablehlo.reduce(%23 init: %24) applies stablehlo.maximum across dimensions = [4] : (tensor<2x2x2x7x7xf32>, tensor<f32>) -> tensor<2x2x2x7xf32>
    %26 = stablehlo.broadcast_in_dim %25, dims = [0, 1, 2, 3] : (tensor<2x2x2x7xf32>) -> tensor<2x2x2x7x7xf32>
    %27 = stablehlo.subtract %23, %26 : tensor<2x2x2x7x7xf32>
    %28 = stablehlo.exponential %27 : tensor<2x2x2x7x7xf32>
    %29 = stablehlo.constant dense<0.0> : tensor<f32>
    %30 = stablehlo.reduce(%28 init: %29) applies stablehlo.add across dimensions = [4] : (tensor<2x2x2x7x7xf32>, tensor<f32>) -> tensor<2x2x2x7xf32>
    %31 = stablehlo.broadcast_in_dim %30, dims = [0, 1, 2, 3] : (tensor<2x2x2x7xf32>) -> tensor<2x2x2x7x7xf32>
    %32 = stablehlo.divide %28, %31 : tensor<2x2x2x7x7xf32>
    %33 = stablehlo.convert %32 : (tensor<2x2x2x7x7xf32>) -> tensor<2x2x2x7x7xbf16>
    %34 = stablehlo.dot_general %33, %3, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2] : (tensor<2x2x2x7x7xbf16>, tensor<2x2x7x32xbf16>) -> tensor<2x2x2x7x32xf32>
    %35 = stablehlo.convert %34 : (tensor<2x2x2x7x32xf32>) -> tensor<2x2x2x7x32xbf16>
    %36 = stablehlo.log %30 : tensor<2x2x2x7xf32>
    %37 = stablehlo.add %36, %25 : tensor<2x2x2x7xf32>
    %38 = stablehlo.reshape %37 : (tensor<2x2x2x7xf32>) -> tensor<2x4x7xf32>
    %39 = stablehlo.transpose %35, dims = [0, 3, 1, 2, 4] : (tensor<2x2x2x7x32xbf16>) -> tensor<2x7x2x2x32xbf16>
    %40 = stablehlo.reshape %39 : (tensor<2x7x2x2x32xbf16>) -> tensor<2x7x4x32xbf16>
    %41 = stablehlo.reshape %40 : (tensor<2x7x4x32xbf16>) -> tensor<2x7x2x2x32xbf16>
    %42 = stablehlo.transpose %41, dims = [0, 2, 3, 1, 4] : (tensor<2x7x2x2x32xbf16>) -> tensor<2x2x2x7x32xbf16>
    %43 = stablehlo.reshape %arg4 : (tensor<2x7x4x32xbf16>) -> tensor<2x7x2x2x32xbf16>
    %44 = stablehlo.transpose %43, dims = [0, 2, 3, 1, 4] : (tensor<2x7x2x2x32xbf16>) -> tensor<2x2x2x7x32xbf16>
    %45 = stablehlo.reshape %38 : (tensor<2x4x7xf32>) -> tensor<2x2x2x7xf32>
    %46 = stablehlo.convert %44 : (tensor<2x2x2x7x32xbf16>) -> tensor<2x2x2x7x32xf32>
    %47 = stablehlo.convert %42 : (tensor<2x2x2x7x32xbf16>) -> tensor<2x2x2x7x32xf32>
    %48 = stablehlo.multiply %46, %47 : tensor<2x2x2x7x32xf32>
    %49 = stablehlo.constant dense<0.0> : tensor<f32>
    %50 = stablehlo.reduce(%48 init: %49) applies stablehlo.add across dimensions = [4] : (tensor<2x2x2x7x32xf32>, tensor<f32>) -> tensor<2x2x2x7xf32>
    %51 = stablehlo.broadcast_in_dim %45, dims = [0, 1, 2, 3] : (tensor<2x2x2x7xf32>) -> tensor<2x2x2x7x7xf32>
    %52 = stablehlo.subtract %23, %51 : tensor<2x2x2x7x7xf32>
    %53 = stablehlo.exponential %52 : tensor<2x2x2x7x7xf32>
    %54 = stablehlo.dot_general %44, %3, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3] : (tensor<2x2x2x7x32xbf16>, tensor<2x2x7x32xbf16>) -> tensor<2x2x2x7x7xf32>
    %55 = stablehlo.broadcast_in_dim %50, dims = [0, 1, 2, 3] : (tensor<2x2x2x7xf32>) -> tensor<2x2x2x7x7xf32>
    %56 = stablehlo.subtract %54, %55 : tensor<2x2x2x7x7xf32>
    %57 = stablehlo.multiply %53, %56 : tensor<2x2x2x7x7xf32>
    %58 = stablehlo.multiply %57, %18 : tensor<2x2x2x7x7xf32>
    %59 = stablehlo.convert %58 : (tensor<2x2x2x7x7xf32>) -> tensor<2x2x2x7x7xbf16>
    %60 = stablehlo.dot_general %59, %2, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2] : (tensor<2x2x2x7x7xbf16>, tensor<2x2x7x32xbf16>) -> tensor<2x2x2x7x32xf32>
    %61 = stablehlo.convert %60 : (tensor<2x2x2x7x32xf32>) -> tensor<2x2x2x7x32xbf16>
    %62 = stablehlo.dot_general %59, %1, batching_dims = [0, 1] x [0, 1], contracting_dims = [2, 3] x [2, 3] : (tensor<2x2x2x7x7xbf16>, tensor<2x2x2x7x32xbf16>) -> tensor<2x2x7x32xf32>
    %63 = stablehlo.convert %53 : (tensor<2x2x2x7x7xf32>) -> tensor<2x2x2x7x7xbf16>
    %64 = stablehlo.dot_general %63, %44, batching_dims = [0, 1] x [0, 1], contracting_dims = [2, 3] x [2, 3] : (tensor<2x2x2x7x7xbf16>, tensor<2x2x2x7x32xbf16>) -> tensor<2x2x7x32xf32>
    %65 = stablehlo.transpose %61, dims = [0, 3, 1, 2, 4] : (tensor<2x2x2x7x32xbf16>) -> tensor<2x7x2x2x32xbf16>
    %66 = stablehlo.reshape %65 : (tensor<2x7x2x2x32xbf16>) -> tensor<2x7x4x32xbf16>
    %67 = stablehlo.convert %62 : (tensor<2x2x7x32xf32>) -> tensor<2x2x7x32xbf16>
    %68 = stablehlo.transpose %67, dims = [0, 2, 1, 3] : (tensor<2x2x7x32xbf16>) -> tensor<2x7x2x32xbf16>
    %69 = stablehlo.convert %64 : (tensor<2x2x7x32xf32>) -> tensor<2x2x7x32xbf16>
    %70 = stablehlo.transpose %69, dims = [0, 2, 1, 3] : (tensor<2x2x7x32xbf16>) -> tensor<2x7x2x32xbf16>
    return %40, %66, %68, %70 : tensor<2x7x4x32xbf16>, tensor<2x7x4x32xbf16>, tensor<2x7x2x32xbf16>, tensor<2x7x2x32xbf16>
  }
}
