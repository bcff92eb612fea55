module @attention_one_token attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x1x3x4xf32>, %arg1: tensor<2x1x1x4xf32>, %arg2: tensor<2x1x1x4xf32>, %arg3: tensor<2x1xi32>) -> (tensor<2x1x3x4xf32>) {
    %0 = stablehlo.reshape %arg0 : (tensor<2x1x3x4xf32>) -> tensor<2x1x1x3x4xf32>
    %1 = stablehlo.transpose %0, dims = [0, 2, 3, 1, 4] : (tensor<2x1x1x3x4xf32>) -> tensor<2x1x3x1x4xf32>
    %2 = stablehlo.transpose %arg1, dims = [0, 2, 1, 3] : (tensor<2x1x1x4xf32>) -> tensor<2x1x1x4xf32>
    %3 = stablehlo.transpose %arg2, dims = [0, 2, 1, 3] : (tensor<2x1x1x4xf32>) -> tensor<2x1x1x4xf32>
    %4 = stablehlo.iota dim = 0 : tensor<1x1xi32>
    %5 = stablehlo.constant dense<0> : tensor<i32>
    %6 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<i32>) -> tensor<1x1xi32>
    %7 = stablehlo.add %4, %6 : tensor<1x1xi32>
    %8 = stablehlo.iota dim = 1 : tensor<1x1xi32>
    %9 = stablehlo.add %8, %6 : tensor<1x1xi32>
    %10 = stablehlo.compare LE, %9, %7, SIGNED : (tensor<1x1xi32>, tensor<1x1xi32>) -> tensor<1x1xi1>
    %11 = stablehlo.broadcast_in_dim %arg3, dims = [0, 1] : (tensor<2x1xi32>) -> tensor<2x1x1xi32>
    %12 = stablehlo.broadcast_in_dim %arg3, dims = [0, 2] : (tensor<2x1xi32>) -> tensor<2x1x1xi32>
    %13 = stablehlo.compare EQ, %11, %12, SIGNED : (tensor<2x1x1xi32>, tensor<2x1x1xi32>) -> tensor<2x1x1xi1>
    %14 = stablehlo.broadcast_in_dim %10, dims = [1, 2] : (tensor<1x1xi1>) -> tensor<2x1x1xi1>
    %15 = stablehlo.and %13, %14 : tensor<2x1x1xi1>
    %16 = stablehlo.dot_general %1, %2, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3], precision = [HIGHEST, HIGHEST] : (tensor<2x1x3x1x4xf32>, tensor<2x1x1x4xf32>) -> tensor<2x1x3x1x1xf32>
    %17 = stablehlo.constant dense<0.5> : tensor<f32>
    %18 = stablehlo.broadcast_in_dim %17, dims = [] : (tensor<f32>) -> tensor<2x1x3x1x1xf32>
    %19 = stablehlo.multiply %16, %18 : tensor<2x1x3x1x1xf32>
    %20 = stablehlo.constant dense<-1.0e30> : tensor<f32>
    %21 = stablehlo.broadcast_in_dim %15, dims = [0, 3, 4] : (tensor<2x1x1xi1>) -> tensor<2x1x3x1x1xi1>
    %22 = stablehlo.broadcast_in_dim %20, dims = [] : (tensor<f32>) -> tensor<2x1x3x1x1xf32>
    %23 = stablehlo.select %21, %19, %22 : tensor<2x1x3x1x1xi1>, tensor<2x1x3x1x1xf32>
    %24 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %25 = stablehlo.reduce(%23 init: %24) applies stablehlo.maximum across dimensions = [4] : (tensor<2x1x3x1x1xf32>, tensor<f32>) -> tensor<2x1x3x1xf32>
    %26 = stablehlo.broadcast_in_dim %25, dims = [0, 1, 2, 3] : (tensor<2x1x3x1xf32>) -> tensor<2x1x3x1x1xf32>
    %27 = stablehlo.subtract %23, %26 : tensor<2x1x3x1x1xf32>
    %28 = stablehlo.exponential %27 : tensor<2x1x3x1x1xf32>
    %29 = stablehlo.constant dense<0.0> : tensor<f32>
    %30 = stablehlo.reduce(%28 init: %29) applies stablehlo.add across dimensions = [4] : (tensor<2x1x3x1x1xf32>, tensor<f32>) -> tensor<2x1x3x1xf32>
    %31 = stablehlo.broadcast_in_dim %30, dims = [0, 1, 2, 3] : (tensor<2x1x3x1xf32>) -> tensor<2x1x3x1x1xf32>
    %32 = stablehlo.divide %28, %31 : tensor<2x1x3x1x1xf32>
    %33 = stablehlo.dot_general %32, %3, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [HIGHEST, HIGHEST] : (tensor<2x1x3x1x1xf32>, tensor<2x1x1x4xf32>) -> tensor<2x1x3x1x4xf32>
    %34 = stablehlo.transpose %33, dims = [0, 3, 1, 2, 4] : (tensor<2x1x3x1x4xf32>) -> tensor<2x1x1x3x4xf32>
    %35 = stablehlo.reshape %34 : (tensor<2x1x1x3x4xf32>) -> tensor<2x1x3x4xf32>
    return %35 : tensor<2x1x3x4xf32>
  }
}
