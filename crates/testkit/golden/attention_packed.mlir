module @attention_packed attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x9x2x5xf32>, %arg1: tensor<2x9x2x5xf32>, %arg2: tensor<2x9x2x5xf32>, %arg3: tensor<2x9xi32>, %arg4: tensor<2x9x2x5xf32>) -> (tensor<2x9x2x5xf32>, tensor<2x9x2x5xf32>, tensor<2x9x2x5xf32>, tensor<2x9x2x5xf32>) {
    %0 = stablehlo.reshape %arg0 : (tensor<2x9x2x5xf32>) -> tensor<2x9x2x1x5xf32>
    %1 = stablehlo.transpose %0, dims = [0, 2, 3, 1, 4] : (tensor<2x9x2x1x5xf32>) -> tensor<2x2x1x9x5xf32>
    %2 = stablehlo.transpose %arg1, dims = [0, 2, 1, 3] : (tensor<2x9x2x5xf32>) -> tensor<2x2x9x5xf32>
    %3 = stablehlo.transpose %arg2, dims = [0, 2, 1, 3] : (tensor<2x9x2x5xf32>) -> tensor<2x2x9x5xf32>
    %4 = stablehlo.iota dim = 0 : tensor<9x9xi32>
    %5 = stablehlo.constant dense<0> : tensor<i32>
    %6 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<i32>) -> tensor<9x9xi32>
    %7 = stablehlo.add %4, %6 : tensor<9x9xi32>
    %8 = stablehlo.iota dim = 1 : tensor<9x9xi32>
    %9 = stablehlo.add %8, %6 : tensor<9x9xi32>
    %10 = stablehlo.compare LE, %9, %7, SIGNED : (tensor<9x9xi32>, tensor<9x9xi32>) -> tensor<9x9xi1>
    %11 = stablehlo.broadcast_in_dim %arg3, dims = [0, 1] : (tensor<2x9xi32>) -> tensor<2x9x9xi32>
    %12 = stablehlo.broadcast_in_dim %arg3, dims = [0, 2] : (tensor<2x9xi32>) -> tensor<2x9x9xi32>
    %13 = stablehlo.compare EQ, %11, %12, SIGNED : (tensor<2x9x9xi32>, tensor<2x9x9xi32>) -> tensor<2x9x9xi1>
    %14 = stablehlo.broadcast_in_dim %10, dims = [1, 2] : (tensor<9x9xi1>) -> tensor<2x9x9xi1>
    %15 = stablehlo.and %13, %14 : tensor<2x9x9xi1>
    %16 = stablehlo.dot_general %1, %2, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3], precision = [HIGHEST, HIGHEST] : (tensor<2x2x1x9x5xf32>, tensor<2x2x9x5xf32>) -> tensor<2x2x1x9x9xf32>
    %17 = stablehlo.constant dense<0.4472136> : tensor<f32>
    %18 = stablehlo.broadcast_in_dim %17, dims = [] : (tensor<f32>) -> tensor<2x2x1x9x9xf32>
    %19 = stablehlo.multiply %16, %18 : tensor<2x2x1x9x9xf32>
    %20 = stablehlo.constant dense<-1.0e30> : tensor<f32>
    %21 = stablehlo.broadcast_in_dim %15, dims = [0, 3, 4] : (tensor<2x9x9xi1>) -> tensor<2x2x1x9x9xi1>
    %22 = stablehlo.broadcast_in_dim %20, dims = [] : (tensor<f32>) -> tensor<2x2x1x9x9xf32>
    %23 = stablehlo.select %21, %19, %22 : tensor<2x2x1x9x9xi1>, tensor<2x2x1x9x9xf32>
    %24 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %25 = stablehlo.reduce(%23 init: %24) applies stablehlo.maximum across dimensions = [4] : (tensor<2x2x1x9x9xf32>, tensor<f32>) -> tensor<2x2x1x9xf32>
    %26 = stablehlo.broadcast_in_dim %25, dims = [0, 1, 2, 3] : (tensor<2x2x1x9xf32>) -> tensor<2x2x1x9x9xf32>
    %27 = stablehlo.subtract %23, %26 : tensor<2x2x1x9x9xf32>
    %28 = stablehlo.exponential %27 : tensor<2x2x1x9x9xf32>
    %29 = stablehlo.constant dense<0.0> : tensor<f32>
    %30 = stablehlo.reduce(%28 init: %29) applies stablehlo.add across dimensions = [4] : (tensor<2x2x1x9x9xf32>, tensor<f32>) -> tensor<2x2x1x9xf32>
    %31 = stablehlo.broadcast_in_dim %30, dims = [0, 1, 2, 3] : (tensor<2x2x1x9xf32>) -> tensor<2x2x1x9x9xf32>
    %32 = stablehlo.divide %28, %31 : tensor<2x2x1x9x9xf32>
    %33 = stablehlo.dot_general %32, %3, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [HIGHEST, HIGHEST] : (tensor<2x2x1x9x9xf32>, tensor<2x2x9x5xf32>) -> tensor<2x2x1x9x5xf32>
    %34 = stablehlo.log %30 : tensor<2x2x1x9xf32>
    %35 = stablehlo.add %34, %25 : tensor<2x2x1x9xf32>
    %36 = stablehlo.reshape %35 : (tensor<2x2x1x9xf32>) -> tensor<2x2x9xf32>
    %37 = stablehlo.transpose %33, dims = [0, 3, 1, 2, 4] : (tensor<2x2x1x9x5xf32>) -> tensor<2x9x2x1x5xf32>
    %38 = stablehlo.reshape %37 : (tensor<2x9x2x1x5xf32>) -> tensor<2x9x2x5xf32>
    %39 = stablehlo.reshape %38 : (tensor<2x9x2x5xf32>) -> tensor<2x9x2x1x5xf32>
    %40 = stablehlo.transpose %39, dims = [0, 2, 3, 1, 4] : (tensor<2x9x2x1x5xf32>) -> tensor<2x2x1x9x5xf32>
    %41 = stablehlo.reshape %arg4 : (tensor<2x9x2x5xf32>) -> tensor<2x9x2x1x5xf32>
    %42 = stablehlo.transpose %41, dims = [0, 2, 3, 1, 4] : (tensor<2x9x2x1x5xf32>) -> tensor<2x2x1x9x5xf32>
    %43 = stablehlo.reshape %36 : (tensor<2x2x9xf32>) -> tensor<2x2x1x9xf32>
    %44 = stablehlo.multiply %42, %40 : tensor<2x2x1x9x5xf32>
    %45 = stablehlo.constant dense<0.0> : tensor<f32>
    %46 = stablehlo.reduce(%44 init: %45) applies stablehlo.add across dimensions = [4] : (tensor<2x2x1x9x5xf32>, tensor<f32>) -> tensor<2x2x1x9xf32>
    %47 = stablehlo.broadcast_in_dim %43, dims = [0, 1, 2, 3] : (tensor<2x2x1x9xf32>) -> tensor<2x2x1x9x9xf32>
    %48 = stablehlo.subtract %23, %47 : tensor<2x2x1x9x9xf32>
    %49 = stablehlo.exponential %48 : tensor<2x2x1x9x9xf32>
    %50 = stablehlo.dot_general %42, %3, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3], precision = [HIGHEST, HIGHEST] : (tensor<2x2x1x9x5xf32>, tensor<2x2x9x5xf32>) -> tensor<2x2x1x9x9xf32>
    %51 = stablehlo.broadcast_in_dim %46, dims = [0, 1, 2, 3] : (tensor<2x2x1x9xf32>) -> tensor<2x2x1x9x9xf32>
    %52 = stablehlo.subtract %50, %51 : tensor<2x2x1x9x9xf32>
    %53 = stablehlo.multiply %49, %52 : tensor<2x2x1x9x9xf32>
    %54 = stablehlo.multiply %53, %18 : tensor<2x2x1x9x9xf32>
    %55 = stablehlo.dot_general %54, %2, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [HIGHEST, HIGHEST] : (tensor<2x2x1x9x9xf32>, tensor<2x2x9x5xf32>) -> tensor<2x2x1x9x5xf32>
    %56 = stablehlo.dot_general %54, %1, batching_dims = [0, 1] x [0, 1], contracting_dims = [2, 3] x [2, 3], precision = [HIGHEST, HIGHEST] : (tensor<2x2x1x9x9xf32>, tensor<2x2x1x9x5xf32>) -> tensor<2x2x9x5xf32>
    %57 = stablehlo.dot_general %49, %42, batching_dims = [0, 1] x [0, 1], contracting_dims = [2, 3] x [2, 3], precision = [HIGHEST, HIGHEST] : (tensor<2x2x1x9x9xf32>, tensor<2x2x1x9x5xf32>) -> tensor<2x2x9x5xf32>
    %58 = stablehlo.transpose %55, dims = [0, 3, 1, 2, 4] : (tensor<2x2x1x9x5xf32>) -> tensor<2x9x2x1x5xf32>
    %59 = stablehlo.reshape %58 : (tensor<2x9x2x1x5xf32>) -> tensor<2x9x2x5xf32>
    %60 = stablehlo.transpose %56, dims = [0, 2, 1, 3] : (tensor<2x2x9x5xf32>) -> tensor<2x9x2x5xf32>
    %61 = stablehlo.transpose %57, dims = [0, 2, 1, 3] : (tensor<2x2x9x5xf32>) -> tensor<2x9x2x5xf32>
    return %38, %59, %60, %61 : tensor<2x9x2x5xf32>, tensor<2x9x2x5xf32>, tensor<2x9x2x5xf32>, tensor<2x9x2x5xf32>
  }
}
