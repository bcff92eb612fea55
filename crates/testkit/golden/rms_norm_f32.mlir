module @rms_norm_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x2x9xf32>, %arg1: tensor<9xf32>) -> (tensor<5x2x9xf32>) {
    %0 = stablehlo.multiply %arg0, %arg0 : tensor<5x2x9xf32>
    %1 = stablehlo.constant dense<0.0> : tensor<f32>
    %2 = stablehlo.reduce(%0 init: %1) applies stablehlo.add across dimensions = [2] : (tensor<5x2x9xf32>, tensor<f32>) -> tensor<5x2xf32>
    %3 = stablehlo.constant dense<0.11111111> : tensor<f32>
    %4 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %5 = stablehlo.multiply %2, %4 : tensor<5x2xf32>
    %6 = stablehlo.constant dense<1.0e-5> : tensor<f32>
    %7 = stablehlo.broadcast_in_dim %6, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %8 = stablehlo.add %5, %7 : tensor<5x2xf32>
    %9 = stablehlo.rsqrt %8 : tensor<5x2xf32>
    %10 = stablehlo.broadcast_in_dim %9, dims = [0, 1] : (tensor<5x2xf32>) -> tensor<5x2x9xf32>
    %11 = stablehlo.multiply %arg0, %10 : tensor<5x2x9xf32>
    %12 = stablehlo.broadcast_in_dim %arg1, dims = [2] : (tensor<9xf32>) -> tensor<5x2x9xf32>
    %13 = stablehlo.multiply %11, %12 : tensor<5x2x9xf32>
    return %13 : tensor<5x2x9xf32>
  }
}
